/**
 * What keeps a guest from answering. The guest writes the message on its console and stays silent, as a machine with a broken
 * configuration does; nothing else in the lab fails because of it.
 */
export class GuestBootError extends Error {
  override readonly name: string = 'GuestBootError';
}

/** The config drive cannot be read: no volume with the right label, a damaged file system, a file that is missing. */
export class ConfigDriveError extends GuestBootError {
  override readonly name = 'ConfigDriveError';
}
