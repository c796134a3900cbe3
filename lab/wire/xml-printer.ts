import type { Printer } from './render.ts';

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
export const escapeXml = (text: string): string => text.replace(/[&<>"]/g, (found) => escapes[found] ?? found);

/** XML-RPC values; also the form in which a task keeps its result, whatever encoding asks for it. */
export const xmlPrinter: Printer = {
  string: (value) => `<value>${escapeXml(value)}</value>`,
  int: (value) => `<value>${value}</value>`,
  smallInt: (value) => `<value><i4>${value}</i4></value>`,
  float: (value) => `<value><double>${value}</double></value>`,
  bool: (value) => `<value><boolean>${value ? 1 : 0}</boolean></value>`,
  datetime: (value) => `<value><dateTime.iso8601>${value}</dateTime.iso8601></value>`,
  array: (items) => `<value><array><data>${items.join('')}</data></array></value>`,
  struct: (members) =>
    `<value><struct>${members.map(([name, value]) => `<member><name>${escapeXml(name)}</name>${value}</member>`).join('')}</struct></value>`,
};
