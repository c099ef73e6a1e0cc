import type { LoadResult, SecondResult } from '@talaria/load';
import { milliseconds, warnings } from '../load-text.ts';
import type { LoadPlan } from '../load-options.ts';
import { linearScale, logScale, type Scale } from './scale.ts';
import { box, label, path, rule, STYLE, type Point } from './svg.ts';

const WIDTH = 900;
const [LEFT, RIGHT] = [70, 800];
/** Where each of the two plots is, from top to bottom. */
const OVER_TIME = { top: 116, bottom: 336 };
const BY_PERCENTILE = { top: 440, bottom: 640 };
/** The strip below the first plot that shows what failed. */
const STRIP = 14;

const SERIES = [
  ['max', 'max', (second: SecondResult) => second.maxMs],
  ['p99', 'p99', (second: SecondResult) => second.p99Ms],
  ['p90', 'p90', (second: SecondResult) => second.p90Ms],
  ['p50', 'p50', (second: SecondResult) => second.p50Ms],
] as const;

const tickText = (ms: number): string => (ms >= 1000 ? `${Number((ms / 1000).toPrecision(3))} s` : `${Number(ms.toPrecision(3))} ms`);

function latencyScale({ seconds, latency }: LoadResult, top: number, bottom: number): Scale {
  const lows = seconds.map(({ p50Ms }) => p50Ms).filter((ms) => ms > 0);
  const low = Math.max(Math.min(latency.all.minMs || 1, ...lows), 0.01);
  return logScale(low * 0.9, Math.max(latency.all.maxMs, low * 2) * 1.1, bottom, top);
}

const latencyGrid = (scale: Scale): string => scale.ticks.map((tick) => rule([LEFT, scale.at(tick)], [RIGHT, scale.at(tick)], 'grid') + label(tickText(tick), [LEFT - 8, scale.at(tick) + 4], '', 'end')).join('');

/** Labels at the ends of lines, moved apart where they would cover each other. */
function ends(labels: readonly { readonly text: string; readonly kind: string; readonly y: number }[]): string {
  let last = -Infinity;
  return [...labels]
    .sort((a, b) => a.y - b.y)
    .map(({ text, kind, y }) => {
      last = Math.max(y + 4, last + 14);
      return label(text, [RIGHT + 8, last], kind);
    })
    .join('');
}

function overTime(result: LoadResult): string {
  const { seconds, elapsedMs } = result;
  const { top, bottom } = OVER_TIME;
  const y = latencyScale(result, top, bottom);
  const x = linearScale(0, Math.max(elapsedMs, 1000) / 1000, LEFT, RIGHT, 10);
  const middle = ({ atMs }: SecondResult): number => x.at(Math.min(atMs / 1000 + 0.5, (atMs / 1000 + elapsedMs / 1000) / 2));
  const measured = seconds.filter(({ succeeded, failed }) => succeeded + failed > 0);
  const lines = SERIES.map(([, kind, value]) => path(measured.map((second): Point => [middle(second), y.at(value(second))]), kind)).join('');
  const last = measured.at(-1);
  const names = last ? ends(SERIES.map(([text, kind, value]) => ({ text, kind, y: y.at(value(last)) }))) : '';
  // How much of each second was no success: no colour at all where nothing went wrong.
  const bad = seconds
    .map((second) => {
      const share = (second.failed + second.dropped + second.unfinished) / Math.max(second.intended, 1);
      const from = x.at(second.atMs / 1000);
      const height = share > 0 ? Math.max(share * STRIP, 2) : 0;
      return share > 0 ? box([from + 0.5, bottom + 4 + STRIP - height], Math.min(x.at(second.atMs / 1000 + 1), RIGHT) - from - 1, height, 'bad') : '';
    })
    .join('');
  const notes = bad === '' ? '' : label('failed', [LEFT - 8, bottom + 4 + STRIP - 2], 'bad', 'end');
  const axis = x.ticks.map((tick) => label(`${Number(tick.toPrecision(4))} s`, [x.at(tick), bottom + STRIP + 22], '', 'middle')).join('');
  return `${label('Latency over time, by the second in which calls were intended', [LEFT, top - 14], 'head')}${latencyGrid(y)}${lines}${names}${bad}${notes}${axis}`;
}

/** How many points the curve of percentiles has. */
const POINTS = 200;
const MARKED = [0, 50, 90, 99, 99.9, 99.99, 99.999];

function byPercentile(result: LoadResult): string {
  const { all } = result.latency;
  const { top, bottom } = BY_PERCENTILE;
  const y = latencyScale(result, top, bottom);
  // As many nines as there are calls to tell them by.
  const most = Math.max(all.count, 10);
  const x = logScale(1, most, LEFT, RIGHT);
  const place = (percent: number): number => x.at(Math.min(1 / Math.max(1 - percent / 100, 1 / most), most));
  const points = Array.from({ length: POINTS + 1 }, (_, n): Point => {
    const nines = most ** (n / POINTS);
    return [x.at(nines), y.at(Math.max(all.percentileMs(n === POINTS ? 100 : 100 * (1 - 1 / nines)), all.minMs))];
  });
  const marks = MARKED.filter((percent) => 1 / (1 - percent / 100) <= most).map((percent) => rule([place(percent), top], [place(percent), bottom], 'grid') + label(percent === 0 ? 'min' : `p${percent}`, [place(percent), bottom + 20], '', 'middle')).join('');
  const max = all.count > 0 ? label(`max ${milliseconds(all.maxMs)}`, [RIGHT + 8, y.at(all.maxMs) + 4], 'p50') : '';
  return `${label('Latency by percentile, of all calls that ended', [LEFT, top - 14], 'head')}${latencyGrid(y)}${marks}${path(points, 'p50')}${max}`;
}

/** A picture of a load, as SVG: latency over time and by percentile, and what failed when. */
export function loadPlot(name: string, result: LoadResult, plan: LoadPlan): string {
  const { latency, achievedRate, elapsedMs, intended, succeeded, failed, dropped, unfinished, keptUp } = result;
  const facts = `${intended.toLocaleString('en')} calls, ${Number(result.rate.toFixed(2))}/s wanted, ${achievedRate.toFixed(1)}/s made, over ${Number((elapsedMs / 1000).toFixed(1))} s: ${succeeded.toLocaleString('en')} succeeded, ${(failed + dropped + unfinished).toLocaleString('en')} did not`;
  const times = `p50 ${milliseconds(latency.all.percentileMs(50))} · p90 ${milliseconds(latency.all.percentileMs(90))} · p99 ${milliseconds(latency.all.percentileMs(99))} · p99.9 ${milliseconds(latency.all.percentileMs(99.9))} · max ${milliseconds(latency.all.maxMs)}`;
  const note = keptUp && dropped === 0 ? '' : label(warnings(result, plan)[0]?.split(':')[0] ?? '', [RIGHT, 70], 'bad', 'end');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="680" viewBox="0 0 ${WIDTH} 680" role="img">
${STYLE}
${label(name, [LEFT, 32], 'title')}
${label(facts, [LEFT, 52])}
${label(times, [LEFT, 70])}
${note}
${overTime(result)}
${byPercentile(result)}
</svg>
`;
}
