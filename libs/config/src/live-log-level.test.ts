import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createLogger, silentLogger, type LogLevel } from '@talaria/base';
import { connectEtcd, type Etcd } from '@talaria/etcd';
import { engines, eventually, type EtcdProcess } from '@talaria/etcd/testing';
import { liveLogLevel, parseLogLevel, type LiveEtcdSetting } from './index.ts';

const GLOBAL = 'talaria/test/config/global/log.level';
const OWN = 'talaria/test/config/service/service.test/log.level';

for (const engine of engines) {
  describe(`the live log level in ${engine.name}`, { skip: engine.skip }, () => {
    let server: EtcdProcess;
    let etcd: Etcd;
    let level: LiveEtcdSetting<LogLevel>;
    const lines: string[] = [];
    const changes: LogLevel[] = [];

    before(async () => {
      server = await engine.start();
      etcd = connectEtcd({ endpoints: server.endpoint, log: silentLogger, pulseMs: 200 });
      await etcd.put(GLOBAL, 'warn');
      await etcd.put(OWN, 'debug');
      const log = createLogger({ format: 'json', destination: { write: (line) => void lines.push(line) } });
      level = liveLogLevel({ etcd, log, service: 'service.test', initial: 'info', namespace: 'test' });
      level.onChange((value) => changes.push(value));
      assert.equal(level.get(), 'info', 'before etcd has answered');
      await level.ready;
    });
    after(async () => {
      level?.close();
      etcd?.close();
      await server?.stop();
    });

    const becomes = (value: LogLevel): Promise<void> => eventually(`the level is ${value}`, () => level.get() === value);

    it('is that of the service, and never for a moment the one for all', () => {
      assert.equal(level.get(), 'debug');
      assert.deepEqual(changes, ['debug']);
    });

    it('follows changes, and falls back to the one for all, then to the initial one', async () => {
      await etcd.put(OWN, ' ERROR\n');
      await becomes('error');
      await etcd.delete(OWN);
      await becomes('warn');
      await etcd.delete(GLOBAL);
      await becomes('info');
    });

    it('keeps the last good value when one is wrong, and says so once', async () => {
      await etcd.put(OWN, 'debug');
      await becomes('debug');
      await etcd.put(OWN, 'loud');
      await eventually('it is logged', () => lines.length > 0);
      await etcd.put(GLOBAL, 'warn');
      await etcd.put(`${GLOBAL}.other`, 'fatal');
      await etcd.put(OWN, 'loud');
      assert.equal(level.get(), 'debug');
      await etcd.put(OWN, 'trace');
      await becomes('trace');
      assert.equal(lines.length, 1, lines.join(''));
      assert.match(lines[0] ?? '', /\\"loud\\" is no log level: use trace, debug, info, warn, error or fatal/);
      assert.match(lines[0] ?? '', new RegExp(OWN));
    });

    it('keeps the last known value while etcd is away, and goes on after it', async () => {
      await server.kill();
      await eventually('it is noticed', () => etcd.state.get() === 'unreachable');
      assert.equal(level.get(), 'trace');
      await server.restart();
      await eventually('etcd takes writes', () =>
        etcd.put(OWN, 'fatal').then(
          () => true,
          () => false,
        ),
      );
      await becomes('fatal');
    });
  });
}

it('parseLogLevel refuses what is no level', () => {
  assert.equal(parseLogLevel('Warn'), 'warn');
  assert.throws(() => parseLogLevel('verbose'), /"verbose" is no log level: use trace, debug/);
});
