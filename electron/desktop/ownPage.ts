/** Tells Boxwright's own page from anything else that might load in a window. */
import type { WebContents, WebFrameMain } from 'electron';
import { appHost, appScheme } from './channel.ts';

/** By protocol and host: every custom scheme's `origin` is the string "null", which is no identity. */
export function isOwnUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, host, username, password } = new URL(url);
  return protocol === `${appScheme}:` && host === appHost && username === '' && password === '';
}

/** Whether a message comes from the top frame of this window while it shows our page. A frame that is gone is nobody. */
export function isOwnFrame(frame: WebFrameMain | null, contents: WebContents): boolean {
  return frame !== null && !contents.isDestroyed() && frame === contents.mainFrame && isOwnUrl(frame.url);
}
