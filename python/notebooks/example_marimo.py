# The example notebook for marimo: `marimo edit example_marimo.py`, or as a script, `python example_marimo.py`.
# It needs a checkout of the project, and `pip install 'magnitude-edge[torch,widget]' marimo`.

import marimo

app = marimo.App(width="full")


@app.cell
def _():
    import sys
    from pathlib import Path

    import marimo as mo
    import numpy as np
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "export"))  # the example's simulation and its GSNN
    import make_example
    from magnitude_edge import MagnitudeEdgeInferer, add_edges, compare

    torch.set_num_threads(1)  # a model this small trains fastest on one thread
    return DataLoader, MagnitudeEdgeInferer, TensorDataset, add_edges, compare, make_example, mo, np, torch


@app.cell
def _(make_example, mo, np, torch):
    names, edges, held_out = make_example.network()
    n, validation = make_example.SAMPLES, make_example.VALIDATION
    x, y = map(torch.from_numpy, make_example.simulate(names, edges, n + validation, np.random.default_rng(0)))
    data = make_example.partial_graph(names, edges, held_out)
    model, loss = make_example.kept(data, x, y)
    mo.md(f"""
    # From a trained model to the edges that its graph lacks

    {len(names["function"])} function nodes, {len(held_out)} edges held out, validation loss {loss:.3f}.
    """)
    return data, held_out, model, n, x, y


@app.cell
def _(DataLoader, MagnitudeEdgeInferer, TensorDataset, data, model, n, x, y):
    # Infer: one pass over the samples; scores of any kind come from its statistics.
    loader = DataLoader(TensorDataset(x[:n], y[:n]), batch_size=128)
    inferer = MagnitudeEdgeInferer(model, data)
    inferer.fit(loader, verbose=False)
    table = inferer.evaluate(score="partial")
    return inferer, loader, table


@app.cell
def _(held_out, inferer, mo, table):
    # Look: heatmap, table, network and the page of one target share one selection.
    widget = mo.ui.anywidget(inferer.explore(table, positives=held_out, title="example"))
    widget
    return (widget,)


@app.cell
def _(mo, widget):
    # Runs again whenever the selection changes.
    mo.md(f"""Selected: {" → ".join(widget.value["selected"]) or "nothing"}""")
    return


@app.cell
def _(widget):
    widget.selection if widget.value["selected"] else widget.edges.head()
    return


@app.cell
def _(held_out, inferer, table):
    # Rank what was held out among all sources of its target.
    detail, summary = inferer.evaluate_target_ranking(table, held_out)
    print({name: round(value, 3) for name, value in summary.items()})
    detail
    return


@app.cell
def _(add_edges, data, make_example, table, x, y):
    # Add the 16 best new edges to a copy of the graph, and train with both graphs alike, briefly.
    wider = add_edges(data, table, top=16)
    make_example.EPOCHS = 12
    _, loss_before = make_example.train(data, x, y, seed=0, verbose=False)
    after, loss_after = make_example.train(wider, x, y, seed=0, verbose=False)
    print(f"validation loss {loss_before:.3f} with the old graph, {loss_after:.3f} with the new one")
    return after, wider


@app.cell
def _(MagnitudeEdgeInferer, after, compare, loader, table, wider):
    # The new model's scores beside the old ones: what has been explained, and what is left.
    with MagnitudeEdgeInferer(after, wider) as again:
        again.fit(loader, verbose=False)
        changes = compare(table, again.evaluate(score="partial"))
    print(f"largest change of rank: {changes['rank_change'].abs().max():.0f}")
    changes.head()
    return


if __name__ == "__main__":
    app.run()
