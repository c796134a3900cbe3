import type { Handlers } from '../dispatch/call.ts';
import { hostUpdatesBehaviour } from '../patching/host-updates.ts';
import { poolPatchBehaviour } from '../patching/pool-patch.ts';
import { poolUpdateBehaviour } from '../patching/pool-update.ts';
import { repositoryBehaviour } from '../patching/repository.ts';
import { pluginBehaviour } from '../patching/updater-plugin.ts';
import { accessBehaviour } from './access.ts';
import { applianceBehaviour } from './appliance.ts';
import { certificateBehaviour } from './certificates.ts';
import { evacuationBehaviour } from './evacuation.ts';
import { biosStrings } from './bios-strings.ts';
import { bondBehaviour } from './bond.ts';
import { dataSources } from './data-sources.ts';
import { eventBehaviour } from './event.ts';
import { haBehaviour } from './ha.ts';
import { hostBehaviour } from './host.ts';
import { messageBehaviour } from './message.ts';
import { migrationBehaviour } from './migration.ts';
import { networkBehaviour } from './network.ts';
import { pifBehaviour } from './pif.ts';
import { placement } from './placement.ts';
import { poolJoin } from './pool-join.ts';
import { poolLeave } from './pool-leave.ts';
import { poolRole } from './pool-role.ts';
import { poolSecurity } from './pool-security.ts';
import { poolSettings } from './pool-settings.ts';
import { pvsBehaviour } from './pvs.ts';
import { sessionBehaviour } from './session.ts';
import { smallObjects } from './small-objects.ts';
import { srBehaviour } from './sr.ts';
import { srIntroduction } from './sr-introduction.ts';
import { storageMotion } from './storage-motion.ts';
import { suspendBehaviour } from './suspend.ts';
import { taskBehaviour } from './task.ts';
import { tunnelBehaviour } from './tunnel.ts';
import { vbdBehaviour } from './vbd.ts';
import { vdiBehaviour } from './vdi.ts';
import { vdiTracking } from './vdi-tracking.ts';
import { vifBehaviour } from './vif.ts';
import { vifSettings } from './vif-settings.ts';
import { vlanBehaviour } from './vlan.ts';
import { vmCopies } from './vm-copies.ts';
import { vmLife } from './vm-life.ts';
import { vmLive } from './vm-live.ts';
import { vmLimits } from './vm-limits.ts';
import { vmPower } from './vm-power.ts';
import { vmQuestions } from './vm-questions.ts';
import { vmSnapshots } from './vm-snapshots.ts';
import { vusbBehaviour } from './vusb.ts';
import { wlbBehaviour } from './wlb.ts';

/** Everything that the lab does beyond what the data model says by itself. */
export const behaviours = (): readonly Handlers[] => [
  sessionBehaviour,
  taskBehaviour,
  eventBehaviour(),
  messageBehaviour,
  accessBehaviour,
  smallObjects,
  poolSettings,
  poolSecurity,
  pvsBehaviour,
  vusbBehaviour,
  hostBehaviour,
  poolRole,
  certificateBehaviour,
  poolJoin,
  poolLeave,
  haBehaviour,
  wlbBehaviour,
  placement,
  migrationBehaviour,
  storageMotion,
  evacuationBehaviour,
  vmLife,
  vmCopies,
  vmSnapshots,
  vmQuestions,
  biosStrings,
  vmLive,
  dataSources,
  vmLimits,
  vmPower,
  suspendBehaviour,
  srBehaviour,
  srIntroduction,
  networkBehaviour,
  vdiBehaviour,
  vdiTracking,
  vbdBehaviour,
  vifBehaviour,
  vifSettings,
  pifBehaviour,
  bondBehaviour,
  tunnelBehaviour,
  poolPatchBehaviour,
  poolUpdateBehaviour,
  repositoryBehaviour,
  hostUpdatesBehaviour,
  pluginBehaviour,
  vlanBehaviour,
  applianceBehaviour,
];
