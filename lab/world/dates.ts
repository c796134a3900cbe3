/** The API's dates: `20261123T06:33:50Z`, without dashes and without fractions. */
export const formatDate = (epochMs: number): string =>
  `${new Date(epochMs).toISOString().slice(0, 19).replaceAll('-', '')}Z`;

export const never = '19700101T00:00:00Z';

/** NaN when the text is no such date. */
export const parseDate = (text: string): number =>
  Date.parse(text.replace(/^(\d{4})-?(\d{2})-?(\d{2})T/, '$1-$2-$3T').replace(/(?<![Z\d])$|(?<=\d)$/, 'Z'));
