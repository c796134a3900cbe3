/** From Unicode's private use area, so that nobody sends it for anything. */
const mark = '\uE000';

/** As JavaScript sees the name of an array's element: an object lists such members first, whatever order they came in. */
const index = /^(?:0|[1-9]\d{0,9})$/;

/** A map's key as objects keep it in the order of the map: the daemon's maps are lists of pairs. */
export const keptKey = (key: string): string => (index.test(key) ? `${mark}${key}` : key);

/** The key as it was sent, and is told. */
export const toldKey = (key: string): string => (key.startsWith(mark) ? key.slice(mark.length) : key);
