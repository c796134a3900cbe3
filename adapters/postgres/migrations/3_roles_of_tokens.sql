-- Up Migration

-- What a token may do (domain/permissions.ts). Those that are there could do everything, and still can.
alter table tokens add column role text not null default 'admin' check (role in ('viewer', 'operator', 'admin'));
-- Programs of ours name the role; one of an earlier version that is still at work makes the least of it.
alter table tokens alter column role set default 'viewer';
