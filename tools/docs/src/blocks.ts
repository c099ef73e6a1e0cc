import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One fenced block of code in a page. */
export interface Block {
  /** Relative to the workspace, such as `docs/guides/calling.md`. */
  readonly file: string;
  /** Of its first line of code, from 1. */
  readonly line: number;
  /** Such as `ts`; empty without one. */
  readonly language: string;
  /** The words behind the language, such as `no-run`. */
  readonly marks: readonly string[];
  readonly code: string;
  /** What a reader needs not see and the code needs: the comments `<!-- before … -->` above and `<!-- after … -->` below the block. */
  readonly before: string;
  readonly after: string;
}

const FENCE = /^( *)```(.*)$/;

/** The lines of a comment `<!-- name … -->` that starts at `at`; undefined if there is none. */
function commentAt(lines: readonly string[], at: number, name: string): string | undefined {
  if (lines[at]?.trim() !== `<!-- ${name}`) return undefined;
  const end = lines.findIndex((line, index) => index > at && line.trim() === '-->');
  return end < 0 ? undefined : lines.slice(at + 1, end).join('\n');
}

/** The comment whose last line stands directly above `at`. */
function commentAbove(lines: readonly string[], at: number, name: string): string | undefined {
  if (lines[at - 1]?.trim() !== '-->') return undefined;
  const start = lines.findLastIndex((line, index) => index < at && line.trim().startsWith('<!--'));
  return commentAt(lines, start, name);
}

/** All fenced blocks of a page. */
export function blocksOf(file: string, text: string): Block[] {
  const lines = text.split(/\r?\n/);
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at++) {
    const [, indent, info] = FENCE.exec(lines[at] ?? '') ?? [];
    if (indent === undefined || info === undefined) continue;
    const end = lines.findIndex((line, index) => index > at && line.trim() === '```');
    if (end < 0) throw new Error(`${file}:${at + 1} opens a block of code that never ends: close it with \`\`\`.`);
    const [language = '', ...marks] = info.trim().split(/\s+/);
    const code = lines.slice(at + 1, end).map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
    blocks.push({ file, line: at + 2, language, marks, code: code.join('\n'), before: commentAbove(lines, at, 'before') ?? '', after: commentAt(lines, end + 1, 'after') ?? '' });
    at = end;
  }
  return blocks;
}

/** The pages that people read: the README, the guides, and the READMEs of all packages. Not the generated reference. */
export function pages(root: string): string[] {
  return ['README.md', ...globSync(['docs/**/*.md', '{libs,tools,apps}/*/README.md'], { cwd: root })]
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => !file.startsWith('docs/reference/'))
    .sort();
}

/** Every block of every page of the workspace at `root`. */
export function readBlocks(root: string): Block[] {
  return pages(root).flatMap((file) => blocksOf(file, readFileSync(join(root, file), 'utf8')));
}
