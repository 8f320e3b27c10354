/**
 * What every answer of ours tells a browser, whatever it is an answer to: that
 * nothing in it runs, is framed, is kept or is sniffed, unless the answer itself
 * says otherwise.
 *
 * They are worked out once, since helmet's are the same for every request, and
 * what is written to a socket by hand has to bear them too.
 */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import helmet from 'helmet';

/** Whether it is in earnest, and where it is reached; of the settings. */
type Addressed = { isProduction: boolean; publicUrl: string | undefined };

/** In seconds: a year. Only this host, since others under the same name are not ours to promise for. */
const HTTPS_ONLY = { maxAge: 31_536_000, includeSubDomains: false };

/** No page of ours asks for any of these, and so none may, nor may anything that is framed in it. */
const NOT_ASKED_FOR = [
  'accelerometer',
  'autoplay',
  'browsing-topics',
  'camera',
  'display-capture',
  'encrypted-media',
  'geolocation',
  'gyroscope',
  'magnetometer',
  'microphone',
  'midi',
  'payment',
  'publickey-credentials-get',
  'screen-wake-lock',
  'serial',
  'usb',
  'xr-spatial-tracking',
];

export function headersOf({ isProduction, publicUrl }: Addressed): Readonly<Record<string, string>> {
  // There, and always will be by https: a browser that has heard so takes nothing else.
  const isHttpsOnly = isProduction && publicUrl?.startsWith('https:') === true;
  const secure = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    // A page that is to be framed takes it away, since its own policy says by whom.
    xFrameOptions: { action: 'deny' },
    // What others may fetch they fetch by CORS, and embed.js says of itself that it may be anybody's.
    crossOriginResourcePolicy: { policy: 'same-origin' },
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    referrerPolicy: { policy: 'no-referrer' },
    strictTransportSecurity: isHttpsOnly && HTTPS_ONLY,
  });
  const nobody = new IncomingMessage(new Socket());
  const answer = new ServerResponse(nobody);
  secure(nobody, answer, () => undefined);
  return {
    ...Object.fromEntries(answer.getHeaderNames().map((name) => [name, String(answer.getHeader(name))])),
    'permissions-policy': NOT_ASKED_FOR.map((feature) => `${feature}=()`).join(', '),
    'cache-control': 'no-store',
  };
}

/** As they are written to a socket by hand. */
export const linesOf = (headers: Readonly<Record<string, string>>): string =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
