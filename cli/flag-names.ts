/** `memoryMiB` → `--memory-mib`: units stay one word. */
export function flagFor(field: string): string {
  const words = field.replace(/[KMGT]iB/g, (unit) => unit.charAt(0) + unit.slice(1).toLowerCase());
  return `--${words.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
