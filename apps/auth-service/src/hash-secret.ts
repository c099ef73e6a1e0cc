#!/usr/bin/env node
// Prints the hash of a secret that comes on standard input, for the table `clients`.
import { text } from 'node:stream/consumers';
import { hashSecret } from './logic/secret-hash.ts';

process.stdout.write(`${await hashSecret((await text(process.stdin)).replace(/\r?\n$/, ''))}\n`);
