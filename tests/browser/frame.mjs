// Ways through the frame of the admin page: to another page, and the user's menu.
import { base } from './support.mjs';

/** Goes to another page of the admin page. */
export async function at(page, route, root = base) {
  await page.goto(`${root}/${route}`);
  await page.locator('#content').waitFor();
}

/** Presses a button of the user's menu. */
export async function menu(page, name) {
  await page.locator('.menu > button').click();
  await page.locator('.menu .panel').getByRole('button', { name }).click();
}

export const logOut = (page) => menu(page, 'Log out');
