/** What no page in Boxwright may do, whatever it is: be granted anything, go anywhere, open anything, reach the network. */
import type { App, Session, WebContents } from 'electron';
import { appScheme } from './channel.ts';

/** Before any window. */
export function hardenSession(session: Session): void {
  session.setPermissionRequestHandler((_contents, _permission, decide) => decide(false));
  session.setPermissionCheckHandler(() => false);
  session.setDevicePermissionHandler(() => false);
  session.setDisplayMediaRequestHandler((_request, answer) => answer({}));
  const local = new Set([`${appScheme}:`, 'blob:', 'devtools:']);
  session.webRequest.onBeforeRequest((details, answer) =>
    answer({ cancel: !URL.canParse(details.url) || !local.has(new URL(details.url).protocol) }),
  );
  // What a page made itself (a chart's picture, its numbers) may be kept where the person says; nothing else is fetched.
  session.on('will-download', (event, item) => {
    if (!item.getURL().startsWith(`blob:${appScheme}:`)) event.preventDefault();
  });
}

/** For windows that exist and any that come to exist. */
export function hardenContents(app: App): void {
  app.on('web-contents-created', (_event, contents) => hardenOne(contents));
}

function hardenOne(contents: WebContents): void {
  const refuse = (event: { preventDefault(): void }) => event.preventDefault();
  contents.on('will-navigate', refuse);
  contents.on('will-frame-navigate', refuse);
  contents.on('will-redirect', refuse);
  contents.on('will-attach-webview', refuse);
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
}
