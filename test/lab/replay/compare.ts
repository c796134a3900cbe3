import type { RawAnswer } from './raw-exchange.ts';
import type { Exchange } from './recording.ts';

/** What is a fact of the moment and not of the daemon. References and uuids are not masked but paired, see Pairs. */
const masks: readonly (readonly [RegExp, string])[] = [
  [/\b20\d{6}T\d\d:\d\d:\d\dZ/g, 'DATE'],
  [/\b\d{15,20}:\d{15,20}\b/g, 'GENERATIONID'],
  [/trackid=[0-9a-f]{32}/g, 'trackid=SESSION'],
  [/\b1\d{9}\.(?=["<])/g, 'UNIXTIME'],
  [/\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b/g, 'MAC'],
  [/((?:__[cm]time|generation_count" value)=")\d+/g, '$1GENERATION'],
  // Of a tar header: when it was made, and the checksum.
  [/(\b0000400\0\d{7}\0\d{7}\0\d{11}\0)\d{11}\0\d{7}/g, '$1TIME'],
  [/(<name>backtrace<\/name><value>)[^<]*/g, '$1BACKTRACE'],
  [/("id":")[1-9]\d*(?=","timestamp)/g, '$1GENERATION'],
  [/(<name>id<\/name><value>)[1-9]\d*(?=<\/value><\/member><member><name>timestamp)/g, '$1GENERATION'],
];

/** References, uuids and event tokens. */
const identity = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b\d{20},\d{20}\b/g;

function mask(text: string): string {
  return masks.reduce((masked, [pattern, by]) => masked.replace(pattern, by), text);
}

/** Which reference or uuid of the lab stands for which of the recording; each for one only. */
export class Pairs {
  private readonly toLab = new Map<string, string>();
  private readonly toRecorded = new Map<string, string>();

  /** The last event token of the lab: what a recorded one stands for that was cut off its own answer. */
  private lastToken = '';

  /** A recorded request as the lab has to be asked. */
  translate(sent: string): string {
    return sent.replace(identity, (recorded) => {
      const known = this.toLab.get(recorded);
      const isLost = known === undefined && recorded.includes(',') && !recorded.startsWith('000000000000999');
      return isLost && this.lastToken !== '' ? this.lastToken : (known ?? recorded);
    });
  }

  /**
   * A map of records is sorted by references, which are others here: the lab's records in the order of the recording. A record
   * whose reference is not known yet is told by its content.
   */
  reorder(body: string, recorded: string): string {
    const [wanted, found] = [records(recorded), records(body)];
    if (wanted.length < 2 || found.length < 2) return body;
    const rest = [...found];
    const sorted = wanted.flatMap((record) => {
      const name = identityOf(record);
      const content = mask(record.replace(identity, ''));
      const at = rest.findIndex((candidate) => {
        const known = this.toRecorded.get(identityOf(candidate));
        return known === undefined && !this.toLab.has(name)
          ? identityOf(candidate) === name || mask(candidate.replace(identity, '')).startsWith(content)
          : known === name;
      });
      return at < 0 ? [] : rest.splice(at, 1);
    });
    const start = body.indexOf(found[0] ?? '');
    return body.slice(0, start) + [...sorted, ...rest].join('') + body.slice(start + found.join('').length);
  }

  /**
   * The lab's text with the recording's names where they are known. New ones pair up in the order of their appearance, for as
   * long as the texts around them are the same.
   */
  recognise(text: string, recorded: string): string {
    const names = recorded.match(identity) ?? [];
    const around = recorded.split(identity);
    const aroundFound = text.split(identity);
    this.lastToken = text.match(/\d{20},\d{20}/g)?.at(-1) ?? this.lastToken;
    let alike = true;
    let at = 0;
    return text.replace(identity, (found) => {
      alike &&= mask(around[at] ?? '') === mask(aroundFound[at] ?? '');
      const name = alike ? names[at] : undefined;
      at += 1;
      const known = this.toRecorded.get(found);
      if (known !== undefined) return known;
      if (name === undefined || found === name || this.toLab.has(name) || name.length !== found.length) return found;
      this.toLab.set(name, found);
      this.toRecorded.set(found, name);
      return name;
    });
  }
}

const recordStart = '<member><name>OpaqueRef:';
const mapEnd = '</struct></value></member></struct></value></param></params></methodResponse>';

/** The members of an answer that is a map of records. */
function records(body: string): string[] {
  const start = body.indexOf(`<struct>${recordStart}`);
  if (start < 0) return [];
  const end = body.endsWith(mapEnd) ? body.length - mapEnd.length : body.length;
  return body
    .slice(start + '<struct>'.length, end)
    .split(/(?=<member><name>OpaqueRef:)/)
    .filter((text) => text.startsWith(recordStart));
}

const identityOf = (record: string): string => record.slice(recordStart.length, recordStart.length + 36);

const contentLength = (headers: RawAnswer['headers']) =>
  headers.map(([name, value]) => `${name}: ${name.toLowerCase() === 'content-length' ? 'LENGTH' : value}`).join('\n');

const everything = (text: string): string => text;

/** The recorded answer and the lab's as they compare: masked, with the same names, as far as the recording goes. */
export function comparable(
  recorded: Exchange,
  answer: RawAnswer,
  pairs: Pairs,
  without = everything,
): { wanted: string; found: string } {
  const want = without([recorded.status, contentLength(recorded.headers), recorded.body].join('\n'));
  const body = pairs.reorder(answer.body, recorded.body);
  const got = without([answer.status, contentLength(answer.headers), body].join('\n'));
  const [wanted, found] = [mask(want), mask(pairs.recognise(got, want))];
  const cut = recorded.fullBodyBytes === undefined ? undefined : wholePart(wanted);
  return { wanted: wanted.slice(0, cut), found: found.slice(0, cut) };
}

/** Where the last value ends that is whole in a text that was cut. */
function wholePart(text: string): number {
  const ends = ['</struct></value></member><member>', '</data></array></value></member><member>'].map((end) =>
    text.lastIndexOf(end),
  );
  return ends.some((at) => at > 0) && text.includes('<name>uuid</name>') ? Math.max(...ends) : text.length - 60;
}

/** Both texts around the place where they part. */
export function firstDifference(wanted: string, found: string): string {
  let at = 0;
  while (at < wanted.length && wanted[at] === found[at]) at++;
  const excerpt = (text: string) => text.slice(Math.max(0, at - 100), at + 160);
  return `recorded …${excerpt(wanted)}…\n     lab …${excerpt(found)}…`;
}
