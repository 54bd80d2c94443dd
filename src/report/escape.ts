const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Finished HTML, which templates insert without escaping it again. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Value = string | number | Markup | null | undefined | false | readonly Value[];

function render(value: Value): string {
  if (value === null || value === undefined || value === false) return '';
  if (value instanceof Markup) return value.text;
  if (typeof value === 'object') return value.map(render).join('');
  return String(value).replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/** A template whose values are escaped, except markup and lists of it. Attributes must be in quotes. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Markup {
  return new Markup(parts.map((part, i) => part + render(values[i])).join(''));
}

/** JSON that can stand inside a <script> element: no text in it can end the element or open another. */
export function jsonForScript(value: unknown): string {
  return JSON.stringify(value)
    .replace(/</g, '\\u003c')
    .replace(/\u2028/g, '\\u2028')
    .replace(/\u2029/g, '\\u2029');
}

/** Program text that can stand inside a <script> element. `<\/` is the same in any string, template or pattern. */
export function programForScript(program: string): Markup {
  return new Markup(program.replace(/<\/(script)/gi, '<\\/$1').replace(/<!--/g, '<\\!--'));
}
