import pytest
import torch

from motifcnn.devices import choose_device
from motifcnn.errors import MotifcnnError


@pytest.fixture
def two_gpus(monkeypatch):
    """Torch as it answers where there are two GPUs."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"GPU {device.index}")
    return monkeypatch


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


def test_the_processor_without_a_gpu_and_as_asked(no_gpu):
    assert str(choose_device("auto").torch_device) == "cpu"
    assert choose_device("auto").reason == "no GPU was found"
    assert (choose_device("cpu").reason, choose_device("cpu").is_gpu) == ("as asked", False)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("cuda", "^--device cuda: .*; use --device cpu, or see `motifcnn doctor`$"),
        ("mps", "^--device mps: there is no Apple GPU here; use --device cpu$"),
        ("gpu", "^--device gpu: use auto, cpu, cuda, cuda:N or mps$"),
    ],
)
def test_never_another_device_than_the_one_asked_for(no_gpu, wanted, message):
    with pytest.raises(MotifcnnError, match=message):
        choose_device(wanted)


@pytest.mark.parametrize(("wanted", "device"), [("auto", "cuda"), ("cuda", "cuda"), ("cuda:1", "cuda:1")])
def test_one_process_takes_the_first_gpu_or_the_one_asked_for(two_gpus, wanted, device):
    assert str(choose_device(wanted).torch_device) == device
    with pytest.raises(MotifcnnError, match=r"^--device cuda:2: there are 2 CUDA devices, counted from 0$"):
        choose_device("cuda:2")


@pytest.mark.parametrize(("rank", "device"), [("0", "cuda:0"), ("1", "cuda:1"), ("2", "cuda:0")])
def test_processes_of_one_machine_share_its_gpus_out(two_gpus, rank, device):
    environment = {
        "RANK": rank, "WORLD_SIZE": "3", "LOCAL_RANK": rank, "LOCAL_WORLD_SIZE": "3", "MASTER_ADDR": "a",
        "MASTER_PORT": "1",
    }  # fmt: skip
    for name, value in environment.items():
        two_gpus.setenv(name, value)
    assert str(choose_device("auto").torch_device) == str(choose_device("cuda").torch_device) == device
    assert str(choose_device("cuda:1").torch_device) == "cuda:1"
