"""The processor's flags of overflow and underflow in IR: `@clear` before a kernel, `@raised` after it.

Where the flags cannot be read, `@raised` always says yes.
"""

from __future__ import annotations

# MXCSR, the control and status register of SSE: bits 3 and 4 are overflow and underflow. Loading it costs more than
# reading it, so it is written only where a bit is set.
BY_REGISTER = """
declare void @llvm.x86.sse.stmxcsr(ptr)
declare void @llvm.x86.sse.ldmxcsr(ptr)

define internal i1 @raised() alwaysinline nounwind {
  %place = alloca i32
  call void @llvm.x86.sse.stmxcsr(ptr %place)
  %state = load i32, ptr %place
  %set = and i32 %state, 24
  %any = icmp ne i32 %set, 0
  ret i1 %any
}

define internal void @clear() alwaysinline nounwind {
  %place = alloca i32
  call void @llvm.x86.sse.stmxcsr(ptr %place)
  %state = load i32, ptr %place
  %set = and i32 %state, 24
  %any = icmp ne i32 %set, 0
  br i1 %any, label %some, label %none
some:
  %cleared = and i32 %state, -64
  store i32 %cleared, ptr %place
  call void @llvm.x86.sse.ldmxcsr(ptr %place)
  br label %none
none:
  ret void
}
"""
BY_LIBRARY = """
define internal i1 @raised() alwaysinline nounwind {{
  %set = call i32 @fetestexcept(i32 {range})
  %any = icmp ne i32 %set, 0
  ret i1 %any
}}

define internal void @clear() alwaysinline nounwind {{
  %ignored = call i32 @feclearexcept(i32 {everything})
  ret void
}}
"""
UNKNOWN = """
define internal i1 @raised() alwaysinline nounwind {
  ret i1 true
}

define internal void @clear() alwaysinline nounwind {
  ret void
}
"""
