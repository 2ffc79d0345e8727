"""What a run says of its further channels: what they add, where motifs' sites stand in them, which filters use them."""

from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import pandas as pd

from motifcnn.discovery.assessment import Assessment, found_sites
from motifcnn.discovery.motif_conservation import FilterUse, MotifSites, SiteProfile, filter_use, site_profiles
from motifcnn.inputs.examples import Examples
from motifcnn.learning.ablation import Ablation
from motifcnn.learning.paired_tests import PairedTest
from motifcnn.model.store import TrainedModel


@dataclass(frozen=True, eq=False)
class ChannelFindings:
    """Findings on the further channels; empty where there are none.

    Args:
        profiles: Of every channel at every motif.
        use: Of every channel by every filter.
        ablation: The model with and without its channels, or None where this was not asked for.
    """

    profiles: tuple[SiteProfile, ...] = ()
    use: tuple[FilterUse, ...] = ()
    ablation: Ablation | None = None


def channel_findings(
    model: TrainedModel,
    examples: Examples,
    assessment: Assessment,
    ablation: Ablation | None,
    generator: np.random.Generator,
) -> ChannelFindings:
    """Lay the channels along the motifs' sites and read the filters' weights.

    Args:
        model: Trained.
        examples: What it was trained and tested on.
        assessment: Its motifs and their sites.
        ablation: The comparison with a model without channels, or None.
        generator: Source of circular shifts.
    """
    if not examples.track_names:
        return ChannelFindings()
    held_out = np.zeros(len(examples), dtype=bool)
    held_out[examples.part("test")] = True
    sites = []
    for column, (tested, found) in enumerate(
        zip(assessment.motifs, found_sites(assessment, model.objective, examples), strict=True)
    ):
        starts, reverse = assessment.sites.starts[found, column], assessment.sites.reverse[found, column]
        sites.append(MotifSites(tested.motif.name, tested.motif.width, found, starts, reverse, held_out[found]))
    profiles = site_profiles(sites, examples.sequences, examples.track_names, examples.tracks, generator)
    return ChannelFindings(tuple(profiles), tuple(filter_use(model.network, model.alphabet.size)), ablation)


def profiles_table(findings: ChannelFindings) -> pd.DataFrame:
    """Return one row a motif, channel and position: mean over the sites, its standard error, sites with a value."""
    columns = ["motif", "track", "position", "mean", "standard_error", "sites"]
    tables = [
        pd.DataFrame(
            {
                "motif": profile.motif,
                "track": profile.track,
                "position": profile.positions,
                "mean": profile.means,
                "standard_error": profile.errors,
                "sites": profile.counts,
            }
        )
        for profile in findings.profiles
    ]
    return pd.concat(tables) if tables else pd.DataFrame(columns=columns)


def shifts_table(findings: ChannelFindings) -> pd.DataFrame:
    """Return one row a motif and channel: held-out sites, and all of them, against circular shifts."""
    columns = ["motif", "track", "width", "sites", "held_out_sites", "site_mean", "shifted_mean", "p_value"]
    columns += [f"all_{name}" for name in ("sites", "site_mean", "shifted_mean", "p_value")]
    rows = [
        (found.motif, found.track, found.width, found.sites, *astuple(found.held_out), *astuple(found.all))
        for found in findings.profiles
    ]
    return pd.DataFrame(rows, columns=columns)


def filters_table(findings: ChannelFindings, model: TrainedModel, assessment: Assessment) -> pd.DataFrame:
    """Return one row a filter, channel and position: the weight, and the channel's share in what the filter can say."""
    motif_of = {
        number: tested.motif.name for tested in reversed(assessment.motifs) for number in tested.extracted.filters
    }
    digits = len(str(model.network.filters.filters))
    rows = []
    for use in findings.use:
        name, track = f"filter_{use.filter + 1:0{digits}d}", model.scales[use.track].name
        for position, weight in enumerate(use.weights.tolist()):
            rows.append((name, motif_of.get(use.filter), track, position, weight, use.share))
    return pd.DataFrame(rows, columns=["filter", "motif", "track", "position", "weight", "share"])


def ablation_metrics(ablation: Ablation) -> dict[str, Any]:
    """Return the comparison as plain values."""
    return {"measure": ablation.measure} | _test_dict(ablation.overall) | {
        "per_target": {name: _test_dict(test) for name, test in ablation.per_target.items()}
    }  # fmt: skip


def _test_dict(test: PairedTest) -> dict[str, Any]:
    return {
        "with": test.first,
        "without": test.second,
        "difference": test.difference,
        "standard_error": test.standard_error,
        "p_value": test.p_value,
        "method": test.method,
    }
