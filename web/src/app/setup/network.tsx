// How the new device is reached: that may stay as it is, or be changed right here, confirmed or undone as in System.

import { useState } from 'preact/hooks';
import { enter } from '../entrance';
import { Button } from '../kit';
import { go } from '../route';
import '../system/system.css';
import { Ports } from '../system/ports';
import { t } from '../text';

export default function NetworkStep() {
  const [trying, setTrying] = useState(false);
  const done = () => {
    go('system/dashboard');
    enter();
  };
  return (
    <div class="card wide">
      <h1>{t('setup.network')}</h1>
      <p>{t('setup.network_later', { address: location.host })}</p>
      <div class="system-page alone">
        <div class="part">
          <Ports brief onTrial={setTrying} />
        </div>
      </div>
      <div class="buttons">
        <Button kind="main" disabled={trying} onPress={done}>
          {t('setup.network_done')}
        </Button>
      </div>
    </div>
  );
}
