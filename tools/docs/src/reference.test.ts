import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { makeReference, outdatedPages, type Reference } from './reference.ts';

const root = join(import.meta.dirname, '../../..');

describe('the reference', () => {
  let reference: Reference;
  before(async () => {
    reference = await makeReference(root);
  });

  it('covers every exported name', () => {
    assert.deepEqual(reference.undocumented, []);
  });

  it('holds what authors of services need', () => {
    for (const name of ['createService', 'ServiceOptions', 'WiringError']) assert.match(reference.pages.get('service.md') ?? '', new RegExp(`### ${name}`));
    assert.match(reference.pages.get('README.md') ?? '', /@talaria\/storage/);
  });

  it('is up to date in docs/reference (npx nx run docs:reference writes it)', () => {
    assert.deepEqual(outdatedPages(join(root, 'docs/reference'), reference), []);
  });
});
