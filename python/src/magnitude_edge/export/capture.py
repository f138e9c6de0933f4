"""Activations and loss gradients of every block, by torch autograd, without touching the model's state."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from .graph import GsnnModule

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
#: Attributes that get in the way, and their temporary values: index tensors as long as the batch that the published
#: class caches (useless to autograd if made under ``torch.inference_mode``), compiled code, checkpointing.
NEUTRAL = {"_B": None, "_batch_params": None, "_compiled_call_impl": None, "checkpoint": False}


@dataclass(frozen=True)
class Capture:
    """One batch through a GSNN. Lists hold one tensor ``[batch, channels]`` per block."""

    yhat: torch.Tensor
    loss: torch.Tensor
    pre: list[torch.Tensor]
    post: list[torch.Tensor]
    grad_pre: list[torch.Tensor]
    grad_post: list[torch.Tensor]


@contextmanager
def left_as_found(model: nn.Module) -> Iterator[None]:
    """Within the context: evaluation mode, no checkpointing, no compiled code (it does not see hooks), no caches, and
    gradients even under ``torch.inference_mode``. Then restores every module's attributes and torch's random state."""
    attributes = [(module, dict(vars(module))) for module in model.modules()]
    gpus = {tensor.device for tensor in model.parameters() if tensor.device.type == "cuda"}
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        stack.enter_context(torch.random.fork_rng(list(gpus)))
        # From torch 2.6 on. If nothing has loaded the compiler, nothing is compiled; loading it takes seconds.
        if "torch._dynamo" in sys.modules and hasattr(torch.compiler, "set_stance"):
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        try:
            model.eval()
            for module, held in attributes:
                for name, neutral in NEUTRAL.items():
                    if held.get(name) is not None:
                        setattr(module, name, neutral)
            yield
        finally:
            for module, held in attributes:
                for name in vars(module).keys() - held.keys():
                    delattr(module, name)
                vars(module).update(held)


@contextmanager
def watched_blocks(model: GsnnModule) -> Iterator[tuple[list[torch.Tensor], list[torch.Tensor]]]:
    """Lists that a forward pass within the context fills: pre-norm and post activations of every block, in order.

    A hook on ``lin_in`` sees the pre-norm activation, one before ``lin_out`` the post activation. This works on any
    GSNN, whatever it stores itself.
    """
    pre: list[torch.Tensor] = []
    post: list[torch.Tensor] = []
    with ExitStack() as stack:
        for layer in dict.fromkeys(block.lin_in for block in model.ResBlocks):
            stack.enter_context(layer.register_forward_hook(lambda _m, _i, out: pre.append(out)))
        for layer in dict.fromkeys(block.lin_out for block in model.ResBlocks):
            stack.enter_context(layer.register_forward_pre_hook(lambda _m, args: post.append(args[0])))
        yield pre, post


def capture(
    model: GsnnModule,
    x: torch.Tensor,
    y: torch.Tensor,
    loss: Loss = nn.functional.mse_loss,
    dtype: torch.dtype | None = None,
    **inputs: torch.Tensor,
) -> Capture:
    """Runs one batch and differentiates its loss with respect to every pre-norm and post activation.

    Args:
        x, y: ``[batch, inputs]``, ``[batch, outputs]``.
        dtype: compute in this type, on converted copies of the parameters; default: the model's own.
        **inputs: further keyword inputs of the model, such as ``edge_mask``.
    """
    with left_as_found(model), watched_blocks(model) as (pre, post):
        if dtype is None:
            yhat = model(differentiable(x), **inputs)
        else:
            tensors = dict(model.named_parameters()) | dict(model.named_buffers())
            converted = {k: t.detach().to(dtype) if t.is_floating_point() else t for k, t in tensors.items()}
            inputs = {k: v.to(dtype) for k, v in inputs.items()}
            # Layers that blocks share have one name here and hold the tensor once. Tying names would swap
            # it once per block and, on the way out, put the converted tensor back into the model.
            yhat = torch.func.functional_call(
                model, converted, (differentiable(x.to(dtype)),), inputs, tie_weights=False
            )
            y = y.to(dtype)
        return differentiate(yhat, y, loss, pre, post)


def differentiable(x: torch.Tensor) -> torch.Tensor:
    """A copy that makes autograd record the graph even if no parameter requires gradients."""
    return x.detach().clone().requires_grad_()


def differentiate(
    yhat: torch.Tensor, y: torch.Tensor, loss: Loss, pre: list[torch.Tensor], post: list[torch.Tensor]
) -> Capture:
    value = loss(yhat, y.clone() if y.is_inference() else y)
    gradients = torch.autograd.grad(value, [*pre, *post], allow_unused=True, materialize_grads=True)

    def flat(tensors: Iterable[torch.Tensor]) -> list[torch.Tensor]:
        return [t.detach().reshape(t.shape[0], -1) for t in tensors]

    return Capture(
        yhat.detach(),
        value.detach(),
        flat(pre),
        flat(post),
        flat(gradients[: len(pre)]),
        flat(gradients[len(pre) :]),
    )


def accepts(model: nn.Module, name: str) -> bool:
    """Whether the model's forward takes an input of this name."""
    return name in inspect.signature(model.forward).parameters
