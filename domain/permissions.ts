/** What a caller may do. Operations name theirs in the catalogue; acting on a run takes the one of its operation. */
export type Permission = 'read' | 'run' | 'run-destructive';

/** From the least to the most. */
export const ROLES = {
  viewer: ['read'],
  operator: ['read', 'run'],
  admin: ['read', 'run', 'run-destructive'],
} as const satisfies Readonly<Record<string, readonly Permission[]>>;

export type Role = keyof typeof ROLES;

export function isRole(name: string): name is Role {
  return Object.hasOwn(ROLES, name);
}

export function mayDo(role: Role, permission: Permission): boolean {
  const permissions: readonly Permission[] = ROLES[role];
  return permissions.includes(permission);
}

/** Every role that may do it, the least first. */
export function rolesWith(permission: Permission): Role[] {
  return Object.keys(ROLES)
    .filter(isRole)
    .filter((role) => mayDo(role, permission));
}
