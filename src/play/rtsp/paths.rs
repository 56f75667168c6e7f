//! From a request's path to what is played there: media factories are made when somebody asks for a
//! path that names something, and go when it names nothing any more.
//!
//! Called on the clients' threads. Memory: a factory for each token that was asked for, in at most four
//! spellings.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::glib::subclass::prelude::*;
use gstreamer::prelude::*;
use gstreamer_rtsp::{RTSPLowerTrans, RTSPUrl};
use gstreamer_rtsp_server::prelude::*;
use gstreamer_rtsp_server::subclass::prelude::*;
use gstreamer_rtsp_server::{
    RTSPMedia, RTSPMediaFactory, RTSPMountPoints, RTSPOnvifMedia, RTSPOnvifMediaFactory,
};

use super::site::{Place, Site};
use super::{live, replay};
use crate::base::wall::Wall;

glib::wrapper! {
    /// See the module.
    pub struct Paths(ObjectSubclass<imp::Paths>) @extends RTSPMountPoints;
}

glib::wrapper! {
    /// Makes live pipelines of one stream.
    pub struct LiveFactory(ObjectSubclass<live_factory::LiveFactory>) @extends RTSPMediaFactory;
}

glib::wrapper! {
    /// Makes pipelines that play one source's recordings.
    pub struct ReplayFactory(ObjectSubclass<replay_factory::ReplayFactory>)
        @extends RTSPOnvifMediaFactory, RTSPMediaFactory;
}

impl Paths {
    pub fn new(site: Arc<Site>) -> Self {
        let paths: Self = glib::Object::new();
        // Nobody else has it yet, so it cannot be set.
        let _ = paths.imp().site.set(site);
        paths
    }
}

impl Site {
    /// Whether there is something at `place`.
    fn knows(&self, place: &Place) -> bool {
        match place {
            Place::Live(token) => self.stream(token).is_some(),
            Place::Replay(token) => {
                let all = self.recordings.pieces(token, Wall(0), Wall(i64::MAX));
                all.is_ok_and(|pieces| !pieces.is_empty())
            }
        }
    }
}

/// What a factory works with.
struct Job {
    site: Arc<Site>,
    token: String,
}

fn factory(site: Arc<Site>, place: Place) -> RTSPMediaFactory {
    let factory: RTSPMediaFactory = match place {
        Place::Live(token) => {
            let factory: LiveFactory = glib::Object::new();
            // As above.
            let _ = factory.imp().job.set(Job { site, token });
            factory.upcast()
        }
        Place::Replay(token) => {
            let factory: ReplayFactory = glib::Object::new();
            let _ = factory.imp().job.set(Job { site, token });
            factory.set_replay_support(true);
            factory.set_media_gtype(RTSPOnvifMedia::static_type());
            factory.upcast()
        }
    };
    factory.set_protocols(RTSPLowerTrans::TCP | RTSPLowerTrans::UDP);
    factory
}

mod imp {
    use super::*;

    #[derive(Default)]
    pub struct Paths {
        pub site: OnceLock<Arc<Site>>,
        mounted: Mutex<BTreeSet<String>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Paths {
        const NAME: &'static str = "H5edgeRtspPaths";
        type Type = super::Paths;
        type ParentType = RTSPMountPoints;
    }

    impl ObjectImpl for Paths {}

    impl RTSPMountPointsImpl for Paths {
        fn make_path(&self, url: &RTSPUrl) -> Option<glib::GString> {
            let path = self.parent_make_path(url)?;
            let path = path.trim_end_matches('/');
            self.mount(path);
            Some(path.into())
        }
    }

    impl Paths {
        fn mount(&self, path: &str) {
            let Some(site) = self.site.get() else { return };
            let known = Place::parse(path).filter(|place| site.knows(place));
            // The set is whole at any time.
            let mut mounted = self.mounted.lock().unwrap_or_else(PoisonError::into_inner);
            match known {
                Some(place) if mounted.insert(path.to_owned()) => {
                    self.obj().add_factory(path, factory(site.clone(), place));
                }
                None if mounted.remove(path) => self.obj().remove_factory(path),
                _ => {}
            }
        }
    }
}

mod live_factory {
    use super::*;

    #[derive(Default)]
    pub struct LiveFactory {
        pub(super) job: OnceLock<Job>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for LiveFactory {
        const NAME: &'static str = "H5edgeRtspLive";
        type Type = super::LiveFactory;
        type ParentType = RTSPMediaFactory;
    }

    impl ObjectImpl for LiveFactory {}

    impl RTSPMediaFactoryImpl for LiveFactory {
        fn create_element(&self, _: &RTSPUrl) -> Option<gst::Element> {
            let job = self.job.get()?;
            let stream = job.site.stream(&job.token)?;
            let made = live::element(&job.site, &stream);
            made.inspect_err(|error| tracing::warn!(source = %job.token, "RTSP: {error}")).ok()
        }

        fn media_configure(&self, media: &RTSPMedia) {
            self.parent_media_configure(media);
            // The feed keeps the pace; sinks that waited as well would delay frames that B-frames reorder.
            media.set_rate_control(false);
        }
    }
}

mod replay_factory {
    use super::*;

    #[derive(Default)]
    pub struct ReplayFactory {
        pub(super) job: OnceLock<Job>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for ReplayFactory {
        const NAME: &'static str = "H5edgeRtspReplay";
        type Type = super::ReplayFactory;
        type ParentType = RTSPOnvifMediaFactory;
    }

    impl ObjectImpl for ReplayFactory {}

    impl RTSPMediaFactoryImpl for ReplayFactory {
        fn create_element(&self, _: &RTSPUrl) -> Option<gst::Element> {
            let job = self.job.get()?;
            let made = replay::element(&job.site.recordings, &job.token);
            made.inspect_err(|error| tracing::warn!(source = %job.token, "RTSP: {error}")).ok()
        }
    }

    impl RTSPOnvifMediaFactoryImpl for ReplayFactory {}
}
