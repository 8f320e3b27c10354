/**
 * Opens a database folder, in a process of its own, and says where it is. It closes it when its input ends.
 *
 * Told to `forget`, it does not close it but waits to end by itself.
 */
import { startEmbeddedPostgres } from '../../../src/storage/embedded-postgres.ts';
import { StartupProblem } from '../../../src/startup-problem.ts';

const [folder = '', then] = process.argv.slice(2);
const say = (what: object) => process.stdout.write(`${JSON.stringify(what)}\n`);

process.on('SIGINT', () => {
  say({ interrupted: true });
});

try {
  const server = await startEmbeddedPostgres(folder);
  say(server);
  if (then !== 'forget') {
    for await (const _ of process.stdin);
    await server.stop();
  }
} catch (problem) {
  process.stderr.write(problem instanceof StartupProblem ? problem.message : String(problem));
  process.exitCode = problem instanceof StartupProblem ? problem.exitCode : 1;
}
