/** Texts of others in lines for a POSIX shell. */

/** The text as one word, whatever is in it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
