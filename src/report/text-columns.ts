/** Lays out rows in aligned columns: numbers to the right, texts to the left. The first row may be a heading. */
export function textColumns(rows: readonly (readonly string[])[]): string {
  const body = rows.length > 1 ? rows.slice(1) : rows;
  const layout = (rows[0] ?? []).map((_, i) => ({
    width: Math.max(...rows.map((row) => row[i]!.length)),
    right: i > 0 && body.every((row) => /^([−-]?\d|–|$)/.test(row[i]!)),
  }));
  return rows
    .map((row) =>
      row.map((cell, i) => (layout[i]!.right ? cell.padStart(layout[i]!.width) : cell.padEnd(layout[i]!.width))),
    )
    .map((cells) => cells.join('   ').trimEnd())
    .join('\n');
}
