import type { Handlers } from '../dispatch/call.ts';
import { formatDate } from '../world/dates.ts';

export const hostBehaviour: Handlers = {
  'host.enable': ({ world }, host) => world.store.update('host', host, { enabled: true }),
  'host.disable': ({ world }, host) => world.store.update('host', host, { enabled: false }),
  'host.get_servertime': () => formatDate(Date.now()),
  'host.get_server_localtime': () => formatDate(Date.now()),
};
