import { parse } from 'yaml';

/**
 * Parses YAML the way cloud-init's own parser does: version 1.1 (`0644` is octal, `yes` is true), merge keys, the last of two equal
 * keys wins. Throws an Error that names the file and the place.
 */
export function parseYaml(text: string, file: string): unknown {
  try {
    return parse(text, { version: '1.1', merge: true, uniqueKeys: false, logLevel: 'error' });
  } catch (error) {
    throw new Error(`${file} is not valid YAML: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
