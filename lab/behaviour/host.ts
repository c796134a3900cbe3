import type { Call, Handlers } from '../dispatch/call.ts';
import { assertNoMandatoryGuidance } from '../patching/guidances.ts';
import { formatDate } from '../world/dates.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { goDownLater, powerOn, restartToolstackLater, stopToolstackLater } from './host-lifecycle.ts';
import { assertPlanKept, refreshPlan } from './ha-plan.ts';
import { haltGuests } from './host-guests.ts';
import { assertDead, assertHostReachable, hostOperation, setLive } from './host-support.ts';

function disable(world: World, host: string, autoEnable: boolean): void {
  assertHostReachable(world, host);
  assertPlanKept(world, { without: [host] });
  world.machines.set(host, { autoEnable });
  world.store.update('host', host, { enabled: false });
  refreshPlan(world);
}

/** Throws HOST_STILL_BOOTING, HOST_DISABLED_UNTIL_REBOOT. An enabled host is left as it is. */
function enable(world: World, host: string): void {
  assertHostReachable(world, host);
  const machine = world.machines.of(host);
  if (world.store.get('host', host).enabled) return;
  if (!machine.startupComplete) throw new XapiError('HOST_STILL_BOOTING');
  if (machine.disabledUntilReboot) throw new XapiError('HOST_DISABLED_UNTIL_REBOOT', host);
  assertNoMandatoryGuidance(world, host);
  world.machines.set(host, { autoEnable: true });
  world.store.update('host', host, { enabled: true });
  refreshPlan(world);
}

/** The answer comes at once; until the host is really down its record shows the operation. */
async function goDown(call: Call, host: string, name: 'reboot' | 'shutdown'): Promise<void> {
  const { world } = call;
  const check = () => {
    if (world.store.get('host', host).enabled) throw new XapiError('HOST_NOT_DISABLED');
    assertHostReachable(world, host);
    assertPlanKept(world, { without: [host] });
  };
  await hostOperation(call, host, name, () => goDownLater(world, host, name === 'reboot'), check);
  const { current_operations: current } = world.store.get('host', host);
  const pending = `DummyRef:|${world.identities.uuid()}|host.${name}`;
  world.store.update('host', host, { current_operations: { ...current, [pending]: name } });
}

async function declareDead(world: World, host: string): Promise<void> {
  if (world.machines.of(host).toolstack === 'up') throw new XapiError('HOST_IS_LIVE', host);
  setLive(world, host, false);
  await haltGuests(world, host);
}

function switchOn(world: World, host: string): void {
  assertDead(world, host);
  if (world.store.get('host', host).power_on_mode === '') throw new XapiError('HOST_POWER_ON_MODE_DISABLED');
  powerOn(world, host);
}

export const hostBehaviour: Handlers = {
  'host.list_methods': () => {
    throw new XapiError('NOT_IMPLEMENTED', 'list_method');
  },
  'host.enable': ({ world }, host) => enable(world, host),
  'host.disable': ({ world }, host, autoEnable = true) => disable(world, host, autoEnable),
  'host.reboot': (call, host) => goDown(call, host, 'reboot'),
  'host.shutdown': (call, host) => goDown(call, host, 'shutdown'),
  'host.power_on': (call, host) => hostOperation(call, host, 'power_on', () => switchOn(call.world, host)),
  'host.set_power_on_mode': ({ world }, host, mode, config) =>
    world.store.update('host', host, { power_on_mode: mode, power_on_config: config }),
  'host.restart_agent': ({ world }, host) => {
    assertHostReachable(world, host);
    restartToolstackLater(world, host, 'agentStopDelay');
  },
  'host.shutdown_agent': ({ world, host }) => stopToolstackLater(world, host),
  'host.declare_dead': ({ world }, host) => declareDead(world, host),
  'host.get_servertime': ({ world }, host) => {
    assertHostReachable(world, host);
    return formatDate(Date.now());
  },
  'host.get_server_localtime': ({ world }, host) => {
    assertHostReachable(world, host);
    return formatDate(Date.now());
  },
};
