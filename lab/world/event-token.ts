import { XapiError } from '../xapi-error.ts';

/** How far a client's knowledge goes. */
export interface Token {
  /** Generation of the store up to which the client knows everything but messages. */
  readonly objects: number;
  readonly messages: number;
}

const pad = (generation: number): string => String(generation).padStart(20, '0');

/** Throws EVENT_FROM_TOKEN_PARSE_FAILURE. */
export function parseToken(text: string): Token {
  if (text === '') return { objects: 0, messages: 0 };
  const parts = text.split(',').map(Number);
  const [objects, messages] = parts;
  if (
    parts.length !== 2 ||
    parts.some((part) => !Number.isInteger(part)) ||
    objects === undefined ||
    messages === undefined
  ) {
    throw new XapiError('EVENT_FROM_TOKEN_PARSE_FAILURE', text);
  }
  return { objects, messages };
}

/** Two decimals of 20 digits. */
export const tokenText = ({ objects, messages }: Token): string => `${pad(objects)},${pad(messages)}`;
