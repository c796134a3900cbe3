import type { Handlers } from '../dispatch/call.ts';
import { XapiError } from '../xapi-error.ts';

/** No directory service is joined to the pool. */
const noDirectory = (): never => {
  throw new XapiError('AUTH_IS_DISABLED');
};

/** Who may log in beside the pool's own user. Subjects and roles are kept; no directory service stands behind them. */
export const accessBehaviour: Handlers = {
  'subject.add_to_roles': ({ world }, subject, role) => {
    const { roles } = world.store.get('subject', subject);
    if (roles.includes(role)) throw new XapiError('ROLE_ALREADY_EXISTS');
    world.store.update('subject', subject, { roles: [role, ...roles] });
  },
  'subject.remove_from_roles': ({ world }, subject, role) => {
    const { roles } = world.store.get('subject', subject);
    if (!roles.includes(role)) throw new XapiError('ROLE_NOT_FOUND');
    world.store.update('subject', subject, { roles: roles.filter((known) => known !== role) });
  },
  'subject.get_permissions_name_label': ({ world }, subject) =>
    world.store
      .get('subject', subject)
      .roles.map((role) => world.store.find('role', role)?.name_label)
      .filter((name) => name !== undefined),
  'role.get_permissions': ({ world }, role) => world.store.get('role', role).subroles,
  'role.get_permissions_name_label': ({ world }, role) =>
    world.store.get('role', role).subroles.map((permission) => world.store.get('role', permission).name_label),
  'role.get_by_permission': ({ world }, permission) =>
    world.store.refs('role').filter((role) => world.store.get('role', role).subroles.includes(permission)),
  'role.get_by_permission_name_label': ({ world }, label) => {
    const permissions = world.store.byName('role', label);
    return world.store
      .refs('role')
      .filter((role) => world.store.get('role', role).subroles.some((ref) => permissions.includes(ref)));
  },
  'auth.get_subject_identifier': noDirectory,
  'auth.get_subject_information_from_identifier': noDirectory,
  'auth.get_group_membership': noDirectory,
  'session.get_all_subject_identifiers': ({ world }) =>
    world.store
      .records('session')
      .map(([, { auth_user_sid: identifier }]) => identifier)
      .filter((identifier) => identifier !== ''),
  'session.logout_subject_identifier': ({ world }, identifier) => {
    for (const [ref, session] of world.store.records('session'))
      if (identifier !== '' && session.auth_user_sid === identifier) world.sessions.end(ref);
  },
};
