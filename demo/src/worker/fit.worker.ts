import { ownPort, serve } from './rpc.ts';
import { FitSession } from './fit-session.ts';

const session = new FitSession((progress) => {
  send('progress', progress);
});
const send = serve(ownPort, session);
