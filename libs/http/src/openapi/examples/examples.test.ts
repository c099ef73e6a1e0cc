import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { exampleIn } from './from-comment.ts';
import { regexSample } from './regex-sample.ts';

describe('regexSample', () => {
  it('makes what an expression matches', () => {
    const patterns = ['^[A-Z]{3}$', '^acc_[0-9A-HJKMNP-TV-Z]{26}$', '^(?:a|b)+c?$', '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}Z$', '^[^@\\s]+@[^@\\s]+\\.[a-z]{2,}$', '^\\+[1-9]\\d{1,14}$', 'b', '^(x(y(z))){2}$', '^[\\]\\\\-]$', '^\\p{Lu}\\w*$'];
    for (const pattern of patterns) {
      const sample = regexSample(pattern, () => true);
      assert.ok(sample !== undefined && new RegExp(pattern, 'u').test(sample), `${pattern}: ${String(sample)}`);
    }
  });
  it('repeats until what else is asked for holds, or gives up', () => {
    assert.equal(regexSample('^a+$', (text) => text.length >= 5), 'aaaaa');
    for (const pattern of ['^(?=a)b', '(', '^(?<!a)b$', '^[^\\s\\S]$']) assert.equal(regexSample(pattern, () => true), undefined, pattern);
    assert.equal(regexSample('^a{2}$', (text) => text.length > 2), undefined);
  });
});

describe('exampleIn', () => {
  it('finds what a comment gives as an example', () => {
    assert.equal(exampleIn('Such as "acc_1"; sortable by time.'), 'acc_1');
    assert.equal(exampleIn('ISO 4217, such as "GBP".'), 'GBP');
    assert.equal(exampleIn('For example `x`.'), 'x');
    assert.equal(exampleIn('"client_credentials".'), 'client_credentials');
    for (const comment of ['What its owner calls it.', 'A "quoted" word.', 'such as acc_1', '']) assert.equal(exampleIn(comment), undefined);
  });
});
