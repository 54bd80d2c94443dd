/** Control characters, and those that turn the direction of a line around or that nobody sees. */
const HIDDEN = /[\p{Cc}\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/gu;

/**
 * Text that somebody else has written (a frame, a joint's name) as it can be shown in a line: no escape sequence reaches a
 * terminal, and a name without end is cut to its first `most` characters, with its length.
 */
export function readable(text: string, most = 100): string {
  const cut = text.length > most ? `${text.slice(0, most)}… (${text.length} characters)` : text;
  return cut.replace(HIDDEN, (char) => `\\u${char.codePointAt(0)!.toString(16).padStart(4, '0')}`);
}
