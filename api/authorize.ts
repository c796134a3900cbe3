import { mayDo, rolesWith } from '../domain/permissions.ts';
import type { Permission } from '../domain/permissions.ts';
import type { Caller, Handler } from './context.ts';
import { Problem } from './problem.ts';

/** Refuses a caller whose role lacks the permission, before anything about the request is looked at. */
export function requirePermission(permission: Permission): Handler {
  return (request, response, next) => {
    demand(response.locals.caller, permission, `${request.method} ${request.path}`);
    next();
  };
}

/** Throws FORBIDDEN with what is missing; `what` is what the caller wants to do. */
export function demand({ name, role }: Caller, permission: Permission, what: string): void {
  if (mayDo(role, permission)) return;
  const roles = rolesWith(permission).join(' or ');
  throw new Problem(
    'FORBIDDEN',
    `${what} needs the permission ${permission}, which the token of ${name} lacks: its role is ${role}. Nothing was changed.`,
    {
      missingPermission: permission,
      hint: `Use a token of the role ${roles}; whoever may use the database makes one: tokens create --role.`,
    },
  );
}
