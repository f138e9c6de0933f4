"""The networks of the recovery benchmark: a graph, data simulated on it, and the held-out edges.

Every network is drawn from a :class:`Setting` and its seed alone, so that any of them can be recreated.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

NOISE_STEPS = 40  # longer than any path, and enough for feedback to settle


@dataclass(frozen=True)
class Setting:
    """One network.

    Attributes:
        family: ``tiers`` (each node merges two of the previous tier), ``scale-free`` (preferential attachment,
            with a hub), ``small-world`` (a ring with shortcuts, cyclic), ``feedback`` (scale-free with a
            twelfth of its edges reversed as well).
        functions: function nodes; a quarter as many inputs, a third as many outputs.
        samples: of the training data; scores are taken on the same samples.
        noise: standard deviation of the noise of every node and output, in units of their signal.
        trained: share of the epochs that are run; below 1 the network is only partly trained.
        held_out: ``random``, or ``roles``: the first parent of every other node that has several.
    """

    family: str
    functions: int
    norm: str = "batch"
    seed: int = 0
    samples: int = 1500
    noise: float = 0.25
    layers: int = 5
    channels: int = 5
    share_layers: bool = True
    node_mlp: bool = False
    trained: float = 1.0
    held_out: str = "random"

    @property
    def name(self) -> str:
        extras = [
            f"n{self.samples}" if self.samples != 1500 else "",
            f"noise{self.noise:g}" if self.noise != 0.25 else "",
            "" if self.share_layers else "unshared",
            "mlp" if self.node_mlp else "",
            f"trained{self.trained:g}" if self.trained < 1 else "",
            self.held_out if self.held_out != "random" else "",
        ]
        parts = [self.family, str(self.functions), self.norm.replace("++", "pp"), *filter(None, extras)]
        return "-".join([*parts, f"s{self.seed}"])

    def as_dict(self) -> dict:
        return {"name": self.name, **asdict(self)}


@dataclass(frozen=True)
class Network:
    """A drawn network. Edges are (source, target) pairs of indices within their node types."""

    inputs: int
    outputs: int
    into: np.ndarray  # [k, 2], input -> function
    between: np.ndarray  # [k, 2], function -> function, all true edges
    out_of: np.ndarray  # [k, 2], function -> output
    held_out: np.ndarray  # [k, 2], part of `between`
    x: np.ndarray  # [samples, inputs], float32
    y: np.ndarray  # [samples, outputs], float32, standardised

    @property
    def known(self) -> np.ndarray:
        """The function -> function edges given to the model."""
        hidden = set(map(tuple, self.held_out))
        return np.array([edge for edge in self.between if tuple(edge) not in hidden])


def draw(setting: Setting, validation: int = 500) -> Network:
    """Draws graph, data (``samples + validation`` rows) and held-out edges."""
    rng = np.random.default_rng([setting.seed, setting.functions, sum(map(ord, setting.family))])
    nodes = setting.functions
    between = {
        "tiers": tiers,
        "scale-free": scale_free,
        "small-world": small_world,
        "feedback": feedback,
    }[setting.family](nodes, rng)
    inputs, outputs = max(nodes // 4, 6), max(nodes // 3, 6)
    into = ends(between[:, 1], nodes, inputs, rng)[:, ::-1]
    out_of = ends(between[:, 0], nodes, outputs, rng)
    x, y = simulate(into, between, out_of, setting, setting.samples + validation, rng)
    held_out = hold_out(into, between, out_of, nodes, setting.held_out, rng)
    return Network(inputs, outputs, into, between, out_of, held_out, x, y)


def tiers(nodes: int, rng: np.random.Generator) -> np.ndarray:
    """Tiers of shrinking width; every node merges two neighbours of the previous tier, and occasionally a third."""
    widths = [nodes * share // 20 for share in (9, 6, 3)]
    widths.append(nodes - sum(widths))
    firsts = np.cumsum([0, *widths])
    edges = []
    for tier in range(1, len(widths)):
        above = np.arange(firsts[tier - 1], firsts[tier])
        for k in range(widths[tier]):
            at = k * len(above) // widths[tier]
            parents = {at, (at + 1) % len(above)}
            if rng.random() < 0.3:
                parents.add(int(rng.integers(len(above))))
            edges += [(above[parent], firsts[tier] + k) for parent in sorted(parents)]
    return np.array(edges)


def scale_free(nodes: int, rng: np.random.Generator) -> np.ndarray:
    """Every node takes one to four parents among the earlier ones, preferring those with many targets."""
    targets = np.ones(nodes)
    edges = []
    for node in range(1, nodes):
        count = min(node, int(rng.integers(1, 5)))
        chance = targets[:node] / targets[:node].sum()
        for parent in sorted(rng.choice(node, count, replace=False, p=chance)):
            edges.append((parent, node))
            targets[parent] += 1
    return np.array(edges)


def small_world(nodes: int, rng: np.random.Generator) -> np.ndarray:
    """A ring in which every node drives the next three, one edge in five leading anywhere instead."""
    edges = set()
    for node in range(nodes):
        for step in (1, 2, 3):
            target = (node + step) % nodes if rng.random() > 0.2 else int(rng.integers(nodes))
            if target != node:
                edges.add((node, target))
    return np.array(sorted(edges))


def feedback(nodes: int, rng: np.random.Generator) -> np.ndarray:
    forward = scale_free(nodes, rng)
    back = forward[rng.random(len(forward)) < 1 / 12][:, ::-1]
    return np.unique(np.concatenate([forward, back]), axis=0)


def ends(taken: np.ndarray, nodes: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """One edge per end node (function, end): first the function nodes that no edge uses, then any."""
    free = np.setdiff1d(np.arange(nodes), taken)
    rest = np.setdiff1d(np.arange(nodes), free)
    order = np.concatenate([rng.permutation(free), rng.permutation(rest)])
    first = np.stack([order[:count], np.arange(count)], axis=1)
    more = np.stack([rng.integers(nodes, size=count), np.arange(count)], axis=1)
    # The remaining function nodes reach an end node, too, so that none is cut off from all ends.
    left = np.setdiff1d(free, order[:count])
    left = np.stack([left, rng.integers(count, size=len(left))], axis=1)
    return np.unique(np.concatenate([first, more, left]), axis=0)


def simulate(into, between, out_of, setting: Setting, rows: int, rng: np.random.Generator):
    """A saturating network: node = tanh(weighted sum of its parents and inputs) + noise, iterated until it settles.

    Returns:
        ``(x [rows, inputs], y [rows, outputs])``, outputs standardised.
    """
    nodes, inputs, outputs = setting.functions, int(into[:, 0].max()) + 1, int(out_of[:, 1].max()) + 1

    def weights(edges, sources, targets, gain):
        matrix = np.zeros((sources, targets))
        size = rng.uniform(0.6, 1.4, len(edges)) * rng.choice([-1, 1], len(edges))
        matrix[edges[:, 0], edges[:, 1]] = size
        return gain * matrix / np.maximum(np.sqrt((matrix != 0).sum(axis=0)), 1)

    drive = weights(into, inputs, nodes, 1.2)
    recurrent = weights(between, nodes, nodes, 1.3)
    readout = weights(out_of, nodes, outputs, 1.0)
    x = rng.normal(size=(rows, inputs))
    noise = setting.noise * 0.5 * rng.normal(size=(rows, nodes))
    state = np.zeros((rows, nodes))
    outside = x @ drive
    for _ in range(NOISE_STEPS):
        state = np.tanh(state @ recurrent + outside) + noise
    y = state @ readout
    y += setting.noise * y.std(axis=0) * rng.normal(size=y.shape)
    return x.astype(np.float32), ((y - y.mean(axis=0)) / y.std(axis=0)).astype(np.float32)


def hold_out(into, between, out_of, nodes: int, how: str, rng: np.random.Generator) -> np.ndarray:
    """Edges whose source is reached from an input and whose target reaches an output without them: those that can
    matter."""
    if how == "roles":
        order = np.lexsort((between[:, 0], between[:, 1]))
        first, seen = [], set()
        parents = np.bincount(between[:, 1], minlength=nodes)
        for edge in between[order]:
            if edge[1] not in seen and parents[edge[1]] > 1:
                first.append(edge)
            seen.add(edge[1])
        wanted = np.array(first[::2])
    else:
        wanted = between[rng.permutation(len(between))]
    most = max(6, round(0.06 * len(between)))
    kept, chosen = between.tolist(), []
    for edge in wanted.tolist():
        rest = [other for other in kept if other != edge]
        if len(chosen) < most and matters(edge, rest, into, out_of, nodes, chosen):
            kept = rest
            chosen.append(edge)
    return np.array(sorted(chosen))


def matters(edge, rest, into, out_of, nodes: int, chosen) -> bool:
    """Whether the ends of this edge and of the chosen ones stay connected to inputs and outputs by ``rest`` alone."""
    heard = reach(set(into[:, 1].tolist()), rest, 0, nodes)
    heeded = reach(set(out_of[:, 0].tolist()), rest, 1, nodes)
    return all(source in heard and target in heeded for source, target in [edge, *chosen])


def reach(start: set[int], edges, side: int, nodes: int) -> set[int]:
    """The nodes reached from ``start`` along the edges, or against them with ``side = 1``."""
    follow = [[] for _ in range(nodes)]
    for edge in edges:
        follow[edge[side]].append(edge[1 - side])
    found, waiting = set(start), list(start)
    while waiting:
        for node in follow[waiting.pop()]:
            if node not in found:
                found.add(node)
                waiting.append(node)
    return found


def settings() -> list[Setting]:
    """The benchmark's networks, small ones first."""
    chosen = [
        Setting(family, functions, norm, seed=seed, layers=5 if functions < 100 else 6)
        for functions, norms, seeds in (
            (24, ("batch", "layer"), (0, 1)),
            (60, ("batch", "layer"), (0, 1)),
            (150, ("batch", "layer"), (0,)),
        )
        for family in ("tiers", "scale-free", "small-world", "feedback")
        for norm in norms
        for seed in seeds
    ]
    other_norms = ("batch++", "edgebatch", "groupbatch", "softmax", "rms", "ema", "channelema", "none")
    chosen += [Setting("scale-free", 60, norm, seed=2) for norm in other_norms]
    for functions, family in ((60, "scale-free"), (60, "small-world")):
        base = {"family": family, "functions": functions, "seed": 3}
        chosen += [Setting(**base, samples=samples) for samples in (300, 6000)]
        chosen += [Setting(**base, noise=noise) for noise in (0.05, 1.0)]
        chosen += [Setting(**base, share_layers=False), Setting(**base, node_mlp=True)]
        chosen += [Setting(**base, trained=0.1), Setting(**base, held_out="roles")]
    large = [(300, "tiers", "batch"), (300, "scale-free", "layer"), (300, "feedback", "batch")]
    large += [(600, "scale-free", "batch"), (600, "feedback", "layer")]
    chosen += [Setting(family, functions, norm, layers=6) for functions, family, norm in large]
    return sorted(dict.fromkeys(chosen), key=lambda setting: setting.functions)
