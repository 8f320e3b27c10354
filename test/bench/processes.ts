/** What a process uses, as Linux tells it. Elsewhere nothing is told. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** CPU in milliseconds since its start, and resident memory in bytes. */
export type Usage = { cpu: number; memory: number };

/** Linux counts in hundredths of a second on every machine that Node runs on. */
const TICK = 10;

/** With the processes it has started, also those that have ended. */
export function usageOf(pid: number): Usage | undefined {
  if (!existsSync(`/proc/${pid}/stat`)) return undefined;
  const family = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => statOf(Number(name)) ?? [])
    .filter((stat) => stat.pid === pid || stat.parent === pid);
  return {
    cpu: family.reduce((sum, stat) => sum + stat.cpu, 0),
    memory: family.reduce((sum, stat) => sum + stat.memory, 0),
  };
}

function statOf(pid: number): (Usage & { pid: number; parent: number }) | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const memory = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    // The name, which may hold anything, ends at the last parenthesis.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = fields.slice(11, 15).map(Number);
    return {
      pid,
      parent: Number(fields[1]),
      cpu: ticks.reduce((sum, each) => sum + each, 0) * TICK,
      memory: Number(memory ?? 0) * 1_024,
    };
  } catch {
    return undefined;
  }
}
