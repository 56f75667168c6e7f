// A network setting on trial: it is kept by hand within some seconds, or undoes itself.

import { useEffect, useState } from 'preact/hooks';
import { call } from '../call';
import { Button } from '../kit';
import { href } from '../route';
import { t } from '../text';

interface TrialProps {
  seconds: number;
  /** Where the box is then, '' where it is not known or stays. */
  address: string;
  onOver: (text: string) => Promise<void>;
}

export function Trial({ seconds, address, onOver }: TrialProps) {
  const [left, setLeft] = useState(seconds);
  useEffect(() => {
    const end = performance.now() + seconds * 1000;
    const timer = setInterval(() => {
      const now = Math.ceil((end - performance.now()) / 1000);
      setLeft(Math.max(0, now));
      if (now > 0) return;
      clearInterval(timer);
      void onOver(t('system.trial_over'));
    }, 500);
    return () => clearInterval(timer);
  }, []);
  const keep = async () => {
    await call('ConfirmNetwork');
    await onOver(t('system.trial_kept'));
  };
  const undo = async () => {
    await call('RevertNetwork');
    await onOver(t('system.trial_undone'));
  };
  return (
    <div class="trial">
      <p role="timer">
        <strong>{t('system.trial', { n: left })}</strong>
      </p>
      <p role="alert">{t('system.trial_why')}</p>
      {address && (
        <p>
          {t('system.trial_address')} <a href={pageAt(address)}>{pageAt(address)}</a>
        </p>
      )}
      <div class="buttons">
        <Button onPress={undo}>{t('system.undo')}</Button>
        <Button kind="main" onPress={keep}>
          {t('system.keep')}
        </Button>
      </div>
    </div>
  );
}

/** The network's page at another address of the box, `192.168.1.5/24`. */
function pageAt(address: string): string {
  const url = new URL(location.href);
  const [host = ''] = address.split('/');
  url.hash = href('system/network');
  url.hostname = host.includes(':') ? `[${host}]` : host;
  return url.toString();
}
