/**
 * A clock that is wrong, for a process that is started with `--import` of this:
 * by so many milliseconds as the file CLOCK_OFF_BY says, which is read at the
 * start and again at every SIGUSR2. Timers go on as they do when a clock is set.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';

const file = process.env.CLOCK_OFF_BY ?? '';
const now = Date.now.bind(Date);
let offBy = 0;

const read = () => {
  offBy = Number(readFileSync(file, 'utf8'));
};
read();
process.on('SIGUSR2', read);

Date.now = () => now() + offBy;
globalThis.Date = new Proxy(Date, {
  construct(target, values, made) {
    /** @type {unknown} */
    const date = Reflect.construct(target, values.length > 0 ? values : [Date.now()], made);
    return /** @type {object} */ (date);
  },
  apply: (target) => new target(Date.now()).toString(),
});
