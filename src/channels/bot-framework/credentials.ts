/**
 * How we prove to the Bot Connector service who we are: a token for the app,
 * from its own tenant, by OAuth 2.0 client credentials.
 *
 * botbuilder would fetch it by MSAL, which takes no provider but Microsoft's
 * and tells nobody what went wrong. One is fetched at a time, whoever waits for
 * it, and kept until five minutes before it ends.
 */
import { AppCredentials, ServiceClientCredentialsFactory } from 'botframework-connector';
import * as openId from 'openid-client';

export type BotCredentials = {
  appId: string;
  password: string;
  /** Where tokens are fetched, such as `https://login.microsoftonline.com/TENANT/oauth2/v2.0/token`. */
  tokenUrl: string;
  /** Whom they are for. */
  audience: string;
};

/** In seconds. */
const DEADLINE = 5;
const LASTS_AT_LEAST = 600;

export function createCredentials(settings: BotCredentials): ServiceClientCredentialsFactory {
  const credentials = new ClientCredentials(settings);
  return new (class extends ServiceClientCredentialsFactory {
    override isValidAppId = (id = '') => Promise.resolve(id === settings.appId);
    override isAuthenticationDisabled = () => Promise.resolve(false);
    override createCredentials = () => Promise.resolve(credentials);
  })();
}

class ClientCredentials extends AppCredentials {
  readonly #settings: BotCredentials;
  readonly #configuration: openId.Configuration;
  #fetching: Promise<{ accessToken: string; expiresOn: Date }> | undefined;

  constructor(settings: BotCredentials) {
    super(settings.appId, undefined, settings.audience);
    this.#settings = settings;
    const { origin } = new URL(settings.tokenUrl);
    this.#configuration = new openId.Configuration(
      { issuer: origin, token_endpoint: settings.tokenUrl },
      settings.appId,
      undefined,
      openId.ClientSecretPost(settings.password),
    );
    this.#configuration.timeout = DEADLINE;
    // The settings let only one on this machine be reached by http.
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    if (settings.tokenUrl.startsWith('http:')) openId.allowInsecureRequests(this.#configuration);
  }

  protected override async refreshToken() {
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined;
    });
    // Each gets a date of its own, since AppCredentials changes it.
    const { accessToken, expiresOn } = await this.#fetching;
    return { accessToken, expiresOn: new Date(expiresOn) };
  }

  async #fetch() {
    const scope = `${this.#settings.audience}/.default`;
    const { access_token, expires_in = LASTS_AT_LEAST } = await openId.clientCredentialsGrant(this.#configuration, {
      scope,
    });
    return { accessToken: access_token, expiresOn: new Date(Date.now() + expires_in * 1_000) };
  }
}
