import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** Both as PEM. */
export interface TlsIdentity {
  readonly key: string;
  readonly cert: string;
}

const yearsValid = 10;

/** DER (ITU-T X.690): tag, length, content. */
function tlv(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const length = Buffer.from(body.length.toString(16).padStart(body.length < 0x100 ? 2 : 4, '0'), 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, body]);
}

const sequence = (...content: readonly Buffer[]): Buffer => tlv(0x30, ...content);
const integer = (bytes: Buffer): Buffer => tlv(0x02, bytes);
const octets = (content: Buffer): Buffer => tlv(0x04, content);
const bits = (content: Buffer): Buffer => tlv(0x03, Buffer.from([0]), content);
/** YYMMDDhhmmssZ, until 2049. */
const utcTime = (date: Date): Buffer =>
  tlv(0x17, Buffer.from(`${date.toISOString().replaceAll(/[-:T]/g, '').slice(2, 14)}Z`));

const oid = {
  ecdsaWithSha256: Buffer.from('06082a8648ce3d040302', 'hex'),
  commonName: Buffer.from('0603550403', 'hex'),
  subjectAltName: Buffer.from('0603551d11', 'hex'),
};

const name = (commonName: string): Buffer =>
  sequence(tlv(0x31, sequence(oid.commonName, tlv(0x0c, Buffer.from(commonName)))));

/** What a client may call the host by: its name and its IPv4 address. */
function alternativeNames(hostname: string, address: string): Buffer {
  const names = [tlv(0x82, Buffer.from(hostname)), tlv(0x87, Buffer.from(address.split('.').map(Number)))];
  return sequence(oid.subjectAltName, octets(sequence(...names)));
}

const pem = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`;

/** A key and the certificate that a host signs for itself (RFC 5280), as hosts of these products do when they are installed. */
export function selfSigned(hostname: string, address: string): TlsIdentity {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const from = new Date();
  const until = new Date(from);
  until.setUTCFullYear(from.getUTCFullYear() + yearsValid);
  const algorithm = sequence(oid.ecdsaWithSha256);
  const serial = Buffer.concat([Buffer.from([0x01]), randomBytes(8)]);
  const content = sequence(
    // Version 3, the one with extensions.
    tlv(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    algorithm,
    name(hostname),
    sequence(utcTime(from), utcTime(until)),
    name(hostname),
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(alternativeNames(hostname, address))),
  );
  const cert = sequence(content, algorithm, bits(sign('sha256', content, privateKey)));
  return { key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })), cert: pem(cert) };
}
