import { refuse } from './alerts.ts';
import { fromAddress } from './inputs.ts';
import { addresses, linkedRoles, restoreSelection, restoreSettings, type LinkedRole } from './link.ts';
import { goOffline } from './offline.ts';
import { keepRankingInStep, setPositives } from './positives.ts';
import { keepRowsInStep } from './rows.ts';
import { run } from './fitting.ts';
import { openData, openModel, openTable } from './session.ts';

/** What the page does before anyone touches it: what its address asks for, else the example. */
export async function begin(): Promise<void> {
  keepRowsInStep();
  keepRankingInStep();
  const query = new URLSearchParams(location.search);
  restoreSettings(query);
  for (const role of linkedRoles) {
    const address = query.get(role);
    if (address) addresses[role] = address;
  }
  if (addresses.table) await openLinked('table');
  else if (addresses.model) {
    if ((await openLinked('model')) && addresses.data && (await openLinked('data'))) {
      if (addresses.positives) await openLinked('positives');
      await run();
    }
  } else await openExample();
  restoreSelection(query);
  await goOffline();
}

/** The bundled example, fitted at once. */
async function openExample(): Promise<void> {
  try {
    const [model, data, positives] = await Promise.all(
      ['model.onnx', 'data.npz', 'heldout.csv'].map((name) => fromAddress(`./example/${name}`)),
    );
    if (!((await openModel(model!)) && (await openData(data!)))) return;
    setPositives(positives!);
    await run();
  } catch (error) {
    refuse(error);
  }
}

async function openLinked(role: LinkedRole): Promise<boolean> {
  try {
    const file = await fromAddress(addresses[role]!);
    if (role === 'positives') setPositives(file);
    const open = { model: openModel, data: openData, table: openTable, positives: () => true }[role];
    return await open(file);
  } catch (error) {
    refuse(error);
    return false;
  }
}
