/** Text as XML. */
export const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[character] ?? '');

/** A point of the drawing. */
export type Point = readonly [x: number, y: number];

const at = (value: number): string => String(Math.round(value * 10) / 10);

/** A line through points. */
export function path(points: readonly Point[], kind: string): string {
  const d = points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${at(x)} ${at(y)}`).join('');
  return points.length === 0 ? '' : `<path class="line ${kind}" d="${d}"/>`;
}

/** A straight line. */
export function rule([x1, y1]: Point, [x2, y2]: Point, kind: string): string {
  return `<line class="${kind}" x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}"/>`;
}

/** A text. */
export function label(text: string, [x, y]: Point, kind = '', anchor: 'start' | 'middle' | 'end' = 'start'): string {
  return `<text class="${kind}" x="${at(x)}" y="${at(y)}"${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}>${escaped(text)}</text>`;
}

/** A filled box. */
export function box([x, y]: Point, width: number, height: number, kind: string): string {
  return `<rect class="${kind}" x="${at(x)}" y="${at(y)}" width="${at(Math.max(width, 0))}" height="${at(Math.max(height, 0))}"/>`;
}

/** Light and dark as the reader's system is. Lines differ in dashes too, for those who tell no colours apart. */
export const STYLE = `<style>
svg { background: #ffffff; font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; }
text { fill: #59636e; font-variant-numeric: tabular-nums; }
.title { fill: #1f2328; font-size: 16px; font-weight: 600; }
.head { fill: #1f2328; font-size: 13px; font-weight: 600; }
.grid { stroke: #d8dee4; stroke-width: 1; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.p50 { stroke: #2a78d6; } .p90 { stroke: #0f8f6f; stroke-dasharray: 7 4; } .p99 { stroke: #d9730d; } .max { stroke: #8c959f; stroke-width: 1.5; stroke-dasharray: 2 4; }
text.p50 { fill: #2a78d6; stroke: none; } text.p90 { fill: #0f8f6f; stroke: none; } text.p99 { fill: #c0620a; stroke: none; } text.max { fill: #6e7781; stroke: none; }
.bad { fill: #cf222e; } text.bad { fill: #cf222e; }
@media (prefers-color-scheme: dark) {
  svg { background: #0d1117; }
  text { fill: #9198a1; }
  .title, .head { fill: #f0f6fc; }
  .grid { stroke: #2a313c; }
  .p50 { stroke: #58a6ff; } .p90 { stroke: #3fb995; } .p99 { stroke: #f0883e; } .max { stroke: #7d8590; }
  text.p50 { fill: #58a6ff; } text.p90 { fill: #3fb995; } text.p99 { fill: #f0883e; } text.max { fill: #9198a1; }
  .bad { fill: #ff7b72; } text.bad { fill: #ff7b72; }
}
</style>`;
