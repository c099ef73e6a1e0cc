import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, realpathSync, rmSync, writeFileSync, chmodSync, symlinkSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { eventually } from '@talaria/testing';
import { ROOT } from '../run.ts';

/** A place on this machine that knows nothing of this repository. */
export interface Outside {
  /** An empty folder, in which a person begins. */
  readonly folder: string;
  /** Where to put what is none of the person's business. */
  readonly scratch: string;
  /** What a person's terminal has in its environment. */
  readonly env: NodeJS.ProcessEnv;
  /** The processes that work in the folder: ids. Only Linux tells; elsewhere there are none. */
  processes(): readonly number[];
  /** Ends what still runs there, and removes everything. */
  remove(): Promise<void>;
}

/** What a terminal has of the tests' own environment: who one is, and how the internet is reached. */
const KEPT = /^(HOME|USER|LOGNAME|SHELL|LANG|LC_.*|TZ|TERM|TMPDIR|(https?|no|all)_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|npm_config_(registry|cafile|https?_proxy|noproxy|strict_ssl))$/i;

/**
 * Makes such a place. Engines, TALARIA_…, OTEL_… and whatever nx and npm say to their children are gone: what a person starts with is
 * the machine's PATH and npm. The scope @talaria comes from `registry`, as if it were published.
 */
export function goOutside(registry: string): Outside {
  const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'five-minutes-')));
  // PostgreSQL does not run as root, and its other user has to get there.
  chmodSync(scratch, 0o755);
  const folder = join(scratch, 'projects');
  mkdirSync(folder);

  // npm reads the scope's registry from a file only: sh drops variables with such a name.
  const own = process.env['npm_config_userconfig'] ?? join(homedir(), '.npmrc');
  const npmrc = join(scratch, 'npmrc');
  writeFileSync(npmrc, `${existsSync(own) ? readFileSync(own, 'utf8').trimEnd() : ''}\n@talaria:registry=${registry}\n`, { mode: 0o600 });
  // The machine's own cache of packages, and a place of our own for what npx installs.
  const packages = join(process.env['npm_config_cache'] ?? join(homedir(), '.npm'), '_cacache');
  const cache = join(scratch, 'npm');
  mkdirSync(packages, { recursive: true });
  mkdirSync(cache);
  symlinkSync(packages, join(cache, '_cacache'));

  const path = (process.env['PATH'] ?? '').split(delimiter).filter((each) => !`${each}/`.startsWith(`${ROOT}/`) && !each.includes('/.npm/'));
  const env = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => KEPT.test(name))),
    PATH: path.join(delimiter),
    npm_config_userconfig: npmrc,
    npm_config_cache: cache,
    npm_config_update_notifier: 'false',
    NO_COLOR: '1',
  };

  const processes = (): number[] =>
    globSync('/proc/[0-9]*/cwd').flatMap((link) => {
      try {
        return `${readlinkSync(link)}/`.startsWith(`${folder}/`) ? [Number(link.split('/')[2])] : [];
      } catch {
        return []; // It ended meanwhile, or is somebody else's.
      }
    });
  return {
    folder,
    scratch,
    env,
    processes,
    async remove() {
      // The supervisor and what it runs end by themselves once their terminal is gone.
      await eventually(() => processes().length === 0, { limitMs: 15_000 }).catch(() => {
        for (const pid of processes()) process.kill(pid, 'SIGKILL');
      });
      rmSync(scratch, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}
