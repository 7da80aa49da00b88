export { buildGuestImages, type GuestImages, type GuestImagesOptions } from "./build-guest-images.ts";
