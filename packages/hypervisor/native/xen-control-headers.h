#pragma once
#include <errno.h>

// The unstable libraries: their sonames carry Xen's version. GNU C++ is needed (xen/hvm/save.h).
extern "C" {
#include <xenctrl.h>
#include <xenforeignmemory.h>
#include <xenguest.h>
#include <xen/hvm/e820.h>
#include <xen/hvm/hvm_info_table.h>
#include <xen/hvm/params.h>
}
