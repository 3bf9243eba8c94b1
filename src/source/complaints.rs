//! What GDAL complains of: kept from standard error, and told by us.

use std::ffi::CStr;

use gdal::errors::GdalError;

/// CPLE's class of a failure; below it are warnings, which repeat themselves a thousand times.
const FAILURE: u32 = 3;

/// GDAL writes no word to standard error, which nobody reads before the end.
pub fn hush() {
    // SAFETY: the handler is GDAL's own and lives as long as the process.
    unsafe { gdal_sys::CPLSetErrorHandler(Some(gdal_sys::CPLQuietErrorHandler)) };
}

pub fn forget() {
    // SAFETY: no argument, no handle.
    unsafe { gdal_sys::CPLErrorReset() };
}

/// The last failure since [`forget`], forgotten thereby.
pub fn take_failure() -> Option<String> {
    // SAFETY: the message is copied before anything else is asked.
    unsafe {
        if gdal_sys::CPLGetLastErrorType() < FAILURE {
            return None;
        }
        let message = CStr::from_ptr(gdal_sys::CPLGetLastErrorMsg()).to_string_lossy().trim().to_owned();
        gdal_sys::CPLErrorReset();
        Some(message)
    }
}

/// GDAL's own words, without the name of the function that had them.
pub fn said(error: &GdalError) -> String {
    match error {
        GdalError::NullPointer { msg, .. } | GdalError::CplError { msg, .. } if !msg.is_empty() => msg.clone(),
        _ => error.to_string(),
    }
}
