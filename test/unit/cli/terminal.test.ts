import { PassThrough } from 'node:stream';
import { Table, vectorFromArray, Float64, Bool } from 'apache-arrow';
import { expect, test } from 'vitest';
import { inWords, TimeLeft } from '../../../src/cli/progress.ts';
import { formatTable, topRows } from '../../../src/cli/summary.ts';
import { oneLine, printLine } from '../../../src/cli/terminal.ts';

const evil = '\u001b]0;title\u0007\u001b[31mred\r\n\u009b2J\u202e\u007f';
// eslint-disable-next-line no-control-regex
const controls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/;

test('control characters are shown, not sent', () => {
  const stream = new PassThrough({ encoding: 'utf8' });
  printLine(stream, `a ${evil} b`);
  const sent = stream.read() as string;
  expect(sent).not.toMatch(controls);
  expect(sent).toContain('\\u001b]0;title\\u0007\\u001b[31mred\\u000d\n\\u009b2J\\u202e\\u007f');
  expect(oneLine(evil)).not.toContain('\n');
  // What is JSON stays JSON, and means the same.
  const json = new PassThrough({ encoding: 'utf8' });
  printLine(json, JSON.stringify({ evil }));
  expect(JSON.parse(json.read() as string)).toEqual({ evil });
});

test('a table for people keeps one row a line, whatever the names', () => {
  const names = [evil, 'x'.repeat(5000)];
  const table = new Table({
    src_func: vectorFromArray(names),
    dst_func: vectorFromArray(['y', 'z']),
    corr: vectorFromArray([0.5, NaN], new Float64()),
    q_value: vectorFromArray([0.1, 1], new Float64()),
    has_edge: vectorFromArray([true, false], new Bool()),
  });
  const lines = formatTable(topRows(table, 10)).split('\n');
  expect(lines).toHaveLength(3);
  for (const line of lines) {
    expect(line).not.toMatch(controls);
    expect(line.length).toBeLessThan(120);
  }
});

test('time left is told from the yielder of the pieces, not from what came before them', () => {
  const left = new TimeLeft();
  // 40 s until the first of two million pieces, then one a millisecond.
  left.note(1, 40_000);
  expect(left.secondsFor(1_999_999)).toBeUndefined();
  for (let at = 40_001; at <= 41_500; at++) left.note(at - 39_999, at);
  expect(left.secondsFor(1_998_499)).toBeCloseTo(1998.5, 0);
  // Twenty times slower from here on: a minute later nothing else counts.
  for (let piece = 1; piece <= 3000; piece++) left.note(1501 + piece, 41_500 + 20 * piece);
  expect(left.secondsFor(1000)).toBeCloseTo(20, 5);
});

test('durations in words', () => {
  expect([1.234, 12.4, 150, 7200, 4e5].map(inWords)).toEqual(['1.2 s', '12 s', '3 min', '2 h', '5 days']);
});
