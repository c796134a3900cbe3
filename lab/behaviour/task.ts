import type { Handlers } from '../dispatch/call.ts';

export const taskBehaviour: Handlers = {
  'task.create': ({ world, host }, label, description) => world.tasks.create(label, description, host),
  'task.destroy': ({ world }, task) => world.store.destroy('task', task),
  'task.cancel': ({ world, operationId }, task) => world.tasks.cancel(task, operationId),
};
