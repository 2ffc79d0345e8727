"""What a network is asked to do: targets, loss and predictions of each task."""

from dataclasses import dataclass
from typing import Final, Literal, Self

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

RARE: Final = 0.1
"""Share of positives among the training examples below which they are rare: there the AUROC flatters, and average
precision is the score to be shown first (Saito and Rehmsmeier 2015)."""

_LARGEST_LOG: Final = 15.0
"""A rate three million times the mean; an untrained network may say more, which would overflow."""

Task = Literal["binary", "multi-label", "classes", "regression"]
Link = Literal["identity", "log"]
Values = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Objective:
    """The task and what its loss needs to know of the training set.

    Args:
        task: Kind of the targets.
        targets: Their names.
        classes: Names of the classes; empty unless the task is "classes".
        weights: Weight of positives against negatives, one a target ("binary", "multi-label"), or
            one a class ("classes"); 1 where classes are not weighted.
        means: Mean of each target, subtracted before training ("regression"); with a log link, what rates are held
            against.
        deviations: Standard deviation of each target ("regression").
        rare: Whether positives are rare: of the target in the middle where there are several; of classes, the rarest
            against the commonest.
        link: What a logit is in regression: the standardised value, or the logarithm of a count's rate.
    """

    task: Task
    targets: tuple[str, ...]
    classes: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    means: tuple[float, ...] = ()
    deviations: tuple[float, ...] = ()
    rare: bool = False
    link: Link = "identity"

    @classmethod
    def from_training_set(
        cls,
        task: Task,
        targets: tuple[str, ...],
        classes: tuple[str, ...],
        values: Values,
        *,
        weigh_classes: bool,
        link: Link = "identity",
    ) -> Self:
        """Measure class weights or the targets' scale.

        Args:
            task: Kind of the targets.
            targets: Their names.
            classes: Names of the classes.
            values: Training values of shape [example, target]; NaN where missing.
            weigh_classes: Whether rare classes count for more.
            link: Whether numbers are counts.
        """
        if task == "regression":
            deviations = np.nanstd(values.astype(np.float64), axis=0)
            return cls(
                task,
                targets,
                means=tuple(np.nanmean(values.astype(np.float64), axis=0).tolist()),
                deviations=tuple(np.where(deviations > 0, deviations, 1.0).tolist()),
                link=link,
            )
        if task == "classes":
            known = values[~np.isnan(values)].astype(np.int64)
            counts = np.maximum(np.bincount(known, minlength=len(classes)), 1)
            weights = counts.sum() / (len(classes) * counts)
            rare = counts.min() < RARE * counts.max()
        else:
            positives, others = (np.maximum((values == label).sum(axis=0), 1) for label in (1, 0))
            weights = others / positives
            rare = np.median(positives / (positives + others)) < RARE
        chosen = weights if weigh_classes else np.ones_like(weights, dtype=np.float64)
        return cls(task, targets, classes, weights=tuple(chosen.tolist()), rare=bool(rare))

    @property
    def outputs(self) -> int:
        """Logits that the network gives."""
        return len(self.classes) if self.task == "classes" else len(self.targets)

    @property
    def output_names(self) -> tuple[str, ...]:
        """One name a logit: a target, or a class."""
        return self.classes if self.task == "classes" else self.targets

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of the task's scores, that to be shown first."""
        if self.task == "regression":
            return ("pearson", "spearman", "r2")
        return ("average_precision", "auroc") if self.rare else ("auroc", "average_precision")

    def columns(self, values: npt.NDArray[np.floating], *, standardised: bool = True) -> npt.NDArray[np.float64]:
        """Return one number an example and output, shape [example, output]; NaN where missing.

        Args:
            values: Targets of shape [example, target]. A class becomes 1 against 0 for all others.
            standardised: Whether a measurement becomes its distance from the mean in standard deviations.
        """
        numbers = values.astype(np.float64)
        if self.task == "classes":
            return np.where(np.isnan(numbers), np.nan, numbers == np.arange(self.outputs))
        if self.task == "regression" and standardised:
            return np.asarray((numbers - self.means) / self.deviations)
        return numbers

    def loss(self, logits: torch.Tensor, values: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
        """Return the mean loss over examples with a value, missing ones left out.

        Args:
            logits: Shape [example, restart, output]; restarts are summed, so that each gets the
                gradient that it would get alone.
            values: Shape [example, target]; NaN where missing.
            smoothing: Share of the label moved towards even odds.
        """
        if self.task == "classes":
            return self._class_loss(logits, values[:, 0], smoothing)
        known = torch.isfinite(values)
        filled = torch.where(known, values, torch.zeros_like(values))[:, None].expand_as(logits)
        if self.task == "regression":
            means, deviations = values.new_tensor(self.means), values.new_tensor(self.deviations)
            if self.link == "log":
                # of a Poisson count, divided by the mean rate, so that it is of one size whatever is counted
                bounded = logits.clamp(max=_LARGEST_LOG)
                losses = functional.poisson_nll_loss(bounded, filled / means, reduction="none")
            else:
                losses = (logits - (filled - means) / deviations) ** 2
        else:
            smooth = filled * (1 - smoothing) + 0.5 * smoothing
            losses = functional.binary_cross_entropy_with_logits(logits, smooth, reduction="none")
            weights = values.new_tensor(self.weights)
            # both classes of a target weigh the same in all, and a mean example weighs 1
            losses = losses * torch.where(filled > 0.5, (1 + weights) / 2, (1 + 1 / weights) / 2)
        return (losses * known[:, None]).sum() / known.sum().clamp(min=1)

    def _class_loss(self, logits: torch.Tensor, values: torch.Tensor, smoothing: float) -> torch.Tensor:
        known = torch.isfinite(values)
        indices = torch.where(known, values, torch.zeros_like(values)).long()
        restarts = logits.shape[1]
        losses = functional.cross_entropy(
            logits.reshape(-1, self.outputs),
            indices.repeat_interleave(restarts),
            weight=logits.new_tensor(self.weights),
            reduction="none",
            label_smoothing=smoothing,
        )
        return (losses.view(-1, restarts) * known[:, None]).sum() / known.sum().clamp(min=1)

    def predictions(self, logits: torch.Tensor) -> torch.Tensor:
        """Turn logits [example, output] into probabilities, or into values in the targets' units."""
        if self.link == "log":
            return logits.clamp(max=_LARGEST_LOG).exp() * logits.new_tensor(self.means)
        if self.task == "regression":
            return logits * logits.new_tensor(self.deviations) + logits.new_tensor(self.means)
        return logits.softmax(dim=1) if self.task == "classes" else logits.sigmoid()
