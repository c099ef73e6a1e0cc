import { findContract, findMethod, type Published } from '../contract-methods.ts';
import { describeContract, describeMethod } from '../describe-contract.ts';
import { withRegistry } from '../registry.ts';
import { printable, type Terminal } from '../terminal.ts';

/** `talaria describe [contract[/Method]]`: what can be called, and with what. */
export async function describe(target: string | undefined, terminal: Terminal, env: Readonly<Record<string, string | undefined>>, signal: AbortSignal): Promise<void> {
  const published: readonly Published[] = await withRegistry({ env, signal }, async (registry) => [...(await registry.contracts()).values()]);
  const [contract = '', name = ''] = (target ?? '').replace(/^\//, '').split('/', 2);
  const { out, style } = terminal;
  if (name !== '') out(safe(describeMethod(findMethod({ contract, name }, published).method, style)));
  else if (contract !== '') {
    const found = findContract(contract, published);
    out(safe(describeContract(found.contract, found.service, style)));
  } else {
    const all = [...published].sort((a, b) => (a.contract < b.contract ? -1 : 1)).map((each) => findContract(each.contract, published));
    out(all.length === 0 ? 'No contract is published yet: the services may still be starting.\n' : safe(all.map((each) => describeContract(each.contract, each.service, style)).join('\n')));
  }
}

/** What others published, made harmless; our own colours stay. */
function safe(text: string): string {
  return text.split(/(\u001b\[\d+m)/).map((part, index) => (index % 2 === 1 ? part : printable(part))).join('');
}
