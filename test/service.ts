/** The whole service in the test's own process, on a database of its own. */
import { join } from 'node:path';
import { type Service, type ServiceWorld, serve } from '../src/cli/serve.ts';
import { createLog } from '../src/log.ts';
import { readSettings } from '../src/settings.ts';
import { createDatabase, migrations } from './database/database.ts';
import { keepMetrics, keepOutput } from './output.ts';
import { content, readUnderstanding, root } from './product.ts';

const understanding = readUnderstanding();

export async function startService(
  environment: Record<string, string> = {},
  changes: Partial<ServiceWorld> = {},
): Promise<Service> {
  const settings = readSettings({
    PORT: '0',
    DATABASE_URL: await createDatabase(),
    ...environment,
  });
  const output = keepOutput();
  const service = await serve({
    settings,
    content,
    understanding,
    now: () => new Date('2026-11-23T08:00:00+01:00'),
    log: createLog('debug', output),
    migrations,
    scripts: join(root, 'dist/web'),
    ...changes,
  });
  return {
    ...service,
    async stop() {
      await keepMetrics(service.origin, output);
      await service.stop();
      output.flush();
    },
  };
}
